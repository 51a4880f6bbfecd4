using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Api;

/// <summary>Turns a fault into application/problem+json that names field, fault and remedy; never a stack trace.</summary>
public static class Problems
{
    /// <summary>What a caller did wrong is the caller's to read and no fault of the hub: it is not logged as one.</summary>
    public static ExceptionHandlerOptions Options => new()
    {
        ExceptionHandler = AnswerAsync,
        SuppressDiagnosticsCallback = it => it.Exception is InputException or BadHttpRequestException,
    };

    private static async Task AnswerAsync(HttpContext context)
    {
        var fault = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        if (!context.Request.Path.StartsWithSegments("/api"))
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("この画面を表示できませんでした。入力は保存されていません。前の画面に戻って、もう一度お試しください。\nThis page could not be shown. Nothing was saved. Go back and try again.\n");
            return;
        }

        var (status, detail) = fault switch
        {
            InputException it => (StatusCodes.Status422UnprocessableEntity, it.Message),
            BadHttpRequestException { InnerException: JsonException it } => (StatusCodes.Status400BadRequest, $"{it.Path ?? "body"}: it cannot be read: {it.Message} Send JSON as /openapi/v1.json describes it."),
            BadHttpRequestException it => (it.StatusCode, it.Message),
            DamagedTreeException it => (StatusCodes.Status409Conflict, it.Message), // No fault that passes: a witness must not take it for one.
            SqliteException { SqliteErrorCode: 13 } => (StatusCodes.Status507InsufficientStorage, "The hub's disk is full: nothing was stored. Free some space and try again."),
            SqliteException => (StatusCodes.Status503ServiceUnavailable, "The hub's store did not take it: nothing was stored. Try again."),
            _ => (StatusCodes.Status500InternalServerError, "The hub failed to answer; the fault is in its log. Nothing was stored."),
        };
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(
            new ProblemDetails { Status = status, Title = status < 500 ? "The request was not accepted" : "The hub could not do it", Detail = detail },
            options: null, contentType: "application/problem+json");
    }
}
