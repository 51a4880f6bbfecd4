using PhysSec.Hub;

return await CommandLine.RunAsync(args, TimeProvider.System);
