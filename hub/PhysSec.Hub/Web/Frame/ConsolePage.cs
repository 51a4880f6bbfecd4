using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using MudBlazor;
using PhysSec.Hub.Access;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Desk;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Frame;

/// <summary>
/// What every live page does: knows who reads it, loads, loads again when something changed or a second has passed (so that ages stay true), and turns a fault into a sentence.
/// </summary>
public abstract class ConsolePage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private bool _disposed;
    private bool _asking;

    [Inject]
    protected ConsoleGate Gate { get; set; } = null!;

    [Inject]
    protected ConsoleDesk Desk { get; set; } = null!;

    [Inject]
    protected TimeProvider Clock { get; set; } = null!;

    [Inject]
    protected ISnackbar Messages { get; set; } = null!;

    [Inject]
    protected IDialogService Dialogs { get; set; } = null!;

    [Inject]
    protected NavigationManager Navigation { get; set; } = null!;

    [Inject]
    protected Words Texts { get; set; } = null!;

    protected SignedIn? Who { get; private set; }

    /// <summary>True once the first load has ended.</summary>
    protected bool Loaded { get; private set; }

    protected DateTimeOffset Now => Clock.GetUtcNow();

    protected CancellationToken Gone => _gone.Token;

    /// <summary>Whether the page follows the room by itself.</summary>
    protected virtual bool Live => false;

    protected override async Task OnInitializedAsync()
    {
        Who = await Gate.WhoAsync();
        Navigation.LocationChanged += Moved;
        await LoadAsync();
        Loaded = true;
        if (!Live) return;

        Desk.Changed += Signal;
        _ = InvokeAsync(FollowAsync);
    }

    protected abstract Task LoadAsync();

    /// <summary>The address changed within the page: filters live there.</summary>
    protected virtual Task AddressChangedAsync() => Task.CompletedTask;

    /// <summary>Does something on the person's behalf and says so, or says what went wrong. A fault never takes the page down.</summary>
    protected async Task<bool> TryAsync(Func<Task> act, string? done = null)
    {
        ArgumentNullException.ThrowIfNull(act);
        var fault = await FaultOfAsync(act);
        if (fault is not null) Messages.Add(fault, Severity.Error);
        else if (done is not null) Messages.Add(done, Severity.Normal);
        return fault is null;
    }

    /// <summary>Null when it was done; otherwise the sentence for the person.</summary>
    protected async Task<string?> FaultOfAsync(Func<Task> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        try
        {
            await act();
            return null;
        }
        catch (NotAllowedException)
        {
            return Texts["fault.not-allowed"];
        }
        catch (InputException fault)
        {
            return Texts.Fault(fault);
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            return Texts["fault.store"];
        }
    }

    /// <summary>Asks for the reason (and, for what moves a door, the second factor) and carries it out inside the dialog. One question at a time: a double click asks once.</summary>
    protected async Task<bool> AskAsync(Question question)
    {
        if (_asking) return false;
        _asking = true;
        try
        {
            return await AskOnceAsync(question);
        }
        finally
        {
            _asking = false;
        }
    }

    private async Task<bool> AskOnceAsync(Question question)
    {
        var parameters = new DialogParameters<ActDialog> { { it => it.Question, question } };
        var dialog = await Dialogs.ShowAsync<ActDialog>(question.Title, parameters, new DialogOptions { MaxWidth = MaxWidth.Small, FullWidth = true, CloseOnEscapeKey = true });
        return await dialog.Result is { Canceled: false };
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (_disposed) return;
        _disposed = true;
        Desk.Changed -= Signal;
        Navigation.LocationChanged -= Moved;
        _gone.Cancel();
        _gone.Dispose();
        _changed.Dispose();
    }

    private void Signal()
    {
        if (_disposed || _changed.CurrentCount > 0) return;
        try
        {
            _changed.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // Another change has woken the page already, or the page is gone.
            return;
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (!_gone.IsCancellationRequested)
            {
                await _changed.WaitAsync(TimeSpan.FromSeconds(1), _gone.Token);
                await LoadAsync();
                StateHasChanged();
                await Task.Delay(TimeSpan.FromMilliseconds(250), Clock, _gone.Token); // At most four times a second, however much happens.
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or ObjectDisposedException)
        {
            return; // The page was left.
        }
        catch (Exception fault) when (fault is Microsoft.Data.Sqlite.SqliteException or InvalidOperationException)
        {
            await DispatchExceptionAsync(fault);
        }
    }

    private void Moved(object? sender, LocationChangedEventArgs where) => _ = InvokeAsync(async () =>
    {
        if (_disposed) return;
        await AddressChangedAsync();
        StateHasChanged();
    });
}

/// <summary>A question before an act. Sentence says exactly what will happen; Act gets reason and code and answers with a fault's sentence or null.</summary>
public sealed record Question(
    string Title, string Sentence, string Button, Func<string, string, Task<string?>> Act, bool NeedsCode = false, bool NeedsReason = true, bool Dangerous = false, Choice? Choice = null);

/// <summary>What is chosen within a question, and what will happen for each choice: it stands in place of the question's own sentence.</summary>
public sealed class Choice(string label, IReadOnlyList<(int Value, string Text)> options, Func<int, string> sentence)
{
    public string Label { get; } = label;

    public IReadOnlyList<(int Value, string Text)> Options { get; } = options;

    public Func<int, string> Sentence { get; } = sentence;

    public int Value { get; set; } = options[0].Value;
}
