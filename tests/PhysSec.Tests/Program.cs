using PhysSec.Tests;
using PhysSec.Tests.Simulation.Readers;
using PhysSec.Tests.Simulation.Record;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// "soak record" and "soak readers" are a person's; everything else is the test runner's own.
if (args is ["soak", "record", .. var rest]) return RecordSoak.Run(rest);
if (args is ["soak", "readers", .. var frames]) return ReaderSoak.Run(frames);
return args.Any(it => it is "--server" or "--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
