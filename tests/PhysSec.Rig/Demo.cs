namespace PhysSec.Rig;

/// <summary>A demo for a person: says where everything is, then waits for Ctrl-C.</summary>
internal static class Demo
{
    public const string Commands = """
        ./deploy.sh sim COMMAND            acts on the room of the running demo  動作中のデモの部屋を操作

          a door at the end of a line (badge alice door-b · open door-b · exit door-b) means that one, else door-a
          行末に扉の名前を付けるとその扉(前室は door-b)、なければ door-a(サーバ室)

          badge NAME [in|out]              show a card at the reader  カードをかざす
                                           alice, bob, carol, erin (granted 許可) · dave (out of hours 時間外) · frank (lost 紛失)
                                           grace (revoked 失効) · heidi (no right 権限なし) · mallory (unknown 未登録)
          pin NAME · pin NAME 12345678     card and PIN at the anteroom; without digits the person's own (alice, bob, carol)  前室でカードと暗証番号
          duress NAME                      card and the code that calls for help silently  カードと脅迫時の番号
          card FACILITY NUMBER [in|out]    any 26-bit card  任意のカード
          open · close · push · force      pull the leaf · close it · lever from inside · crowbar  扉を開ける・閉める・内側から・こじ開け
          exit [hold|release]              exit button  退室ボタン
          fire on|off · glass on|off · shaking on|off   fire panel, break glass, seismic device  火災信号・非常解錠・地震
          reader door-b.entry cut|back|tamper on|off|exchange fresh|status   the OSDP reader  OSDP読取装置の断線・復旧・こじ開け・交換・状態
          leak on|off                      water on the floor  漏水
          mains on|off                     mains power  商用電源
          heat 3kW · cooling on|off|5kW    heat of the machines, cooler  発熱・空調
          tamper door|enclosure on|off     reader or node opened  こじ開け検知
          sensor ok|absent|crc|stuck       temperature sensor  温湿度センサの故障
          line INPUT ok|cut|short|ground   wires of a supervised line (door-b.contact, door-b.button, fire)  監視線の断線・短絡など
          speed N                          the air changes N times faster  室温変化の速さ
          status                           what the room looks like  部屋の状態
          totp SECRET                      the six digits of an authenticator  認証アプリの6桁
        """;

    public static async Task RunAsync(Instance instance, TextWriter output, CancellationToken cancel)
    {
        await output.WriteLineAsync($"""

            ── PhysSec ──────────────────────────────────────────────────────────
            console 画面          {instance.Console}
            {(instance.FirstSignIn is { } link
                ? $"sign in 初回サインイン  {link}"
                : "sign in サインイン     with the account that you made  作成済みのアカウントで")}
                                  one time, 24 h; then your password and authenticator (no phone? ./deploy.sh sim totp SECRET)
                                  24時間・1回限り。パスワードと認証アプリを登録します
            act 操作              ./deploy.sh sim badge alice · sim open · sim close · sim pin alice · sim open door-b · sim leak on   (./deploy.sh sim lists all 一覧)
            mails 受信メール      {instance.Mail.Mbox}
            for tools ツール用    {Endpoints.FileIn(instance.State)}
            end 終了              Ctrl-C
            ─────────────────────────────────────────────────────────────────────

            """);
        var stopped = new TaskCompletionSource();
        await using var registration = cancel.Register(stopped.SetResult);
        await stopped.Task;
        await output.WriteLineAsync("stopping… 終了しています…");
    }
}
