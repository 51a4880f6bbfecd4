using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Storage;

public sealed class AlarmKeyUpgradeTests
{
    // As the program before the keys that name the node wrote it: node-b's leak was never told, because node-a's stood.
    private const string Old =
        """
        insert into nodes (id, name, thumbprint, certificate, epoch, enrolled_at, revoked_at)
          values ('node-a', 'a', '', '', 1, 0, null), ('node-b', 'b', '', '', 1, 0, null), ('node-r', 'r', '', '', 1, 0, 1);
        insert into ledger (source, epoch, stream, seq, hash, body, received_at, at, kind) values
          ('node-a', 1, 'a', 1, '', '{"fact":{"kind":"alarm.raised","alarm":"leak:leak","class":"leak","source":"leak","value":null}}', 1000000, 1000000, 'alarm.raised'),
          ('node-b', 1, 'a', 7, '', '{"fact":{"kind":"alarm.raised","alarm":"leak:leak","class":"leak","source":"leak","detail":"wet"}}', 2000000, null, 'alarm.raised'),
          ('node-b', 1, 'a', 8, '', '{"fact":{"kind":"alarm.raised","alarm":"tamper:box","class":"tamper","source":"box"}}', 2000000, 2000000, 'alarm.raised'),
          ('node-b', 1, 'a', 9, '', '{"fact":{"kind":"alarm.cleared","alarm":"tamper:box","class":"tamper","source":"box"}}', 2000000, 2000000, 'alarm.cleared'),
          ('node-r', 1, 'a', 1, '', '{"fact":{"kind":"alarm.raised","alarm":"leak:leak","class":"leak","source":"leak"}}', 2000000, 2000000, 'alarm.raised');
        insert into alarms values
          ('leak:leak', 'node-a', '{"key":"leak:leak","class":"leak","source":"leak","node":"node-a","state":{"active":true,"latched":true,"raisedAt":"2026-11-02T00:00:00+00:00","acknowledged":{"who":"sato","at":"2026-11-02T00:01:00+00:00","why":"x"},"mode":"inService"}}'),
          ('node-lost:node-b', 'node-b', '{"key":"node-lost:node-b","class":"node-lost","source":"node-b","node":"node-b","state":{"active":true,"raisedAt":"2026-11-02T00:00:00+00:00"}}');
        insert into notifications (alarm, what, channel, made_at, body, next_at) values
          ('leak:leak', 'Raised', 'mail', 0, '{"key":"leak:leak","class":"leak","source":"leak","node":"node-a"}', 0),
          ('node-lost:node-b', 'Raised', 'mail', 0, '{"key":"node-lost:node-b","class":"node-lost","source":"node-b","node":"node-b"}', 0);
        """;

    [Fact]
    public async Task Alarms_of_an_older_store_get_their_nodes_name_and_one_that_hid_behind_anothers_stands_again()
    {
        var folder = Directory.CreateTempSubdirectory("physsec-upgrade-");
        try
        {
            using (var old = new SqliteConnection($"data source={Path.Combine(folder.FullName, "hub.db")};pooling=false"))
            {
                old.Open();
                Schema.Apply(old, steps: 2);
                old.Execute(Old);
            }

            await using var store = Store.Open(Path.Combine(folder.FullName, "hub.db"));
            var alarms = new AlarmBoard(store, AlarmCatalogue.Shipped(), new HubConfiguration(), TimeProvider.System);

            Assert.Equal(
                [("node-a/leak:leak", true, "sato"), ("node-b/leak:leak", true, null), ("node-lost:node-b", true, null)],
                alarms.List().OrderBy(it => it.Key, StringComparer.Ordinal).Select(it => (it.Key, it.Active, it.AckBy)));
            Assert.Equal(("wet", 2), alarms.List().Where(it => it.Node == "node-b" && it.Class == AlarmClasses.Leak).Select(it => (it.Detail, (int)it.Since!.Value.ToUnixTimeSeconds())).Single());
            Assert.Equal(
                ["node-a/leak:leak", "node-lost:node-b"],
                store.Read(it => it.Query("select alarm from notifications where alarm = body ->> '$.key' order by alarm", row => row.GetString(0))));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Records_of_alarms_and_cards_that_an_older_program_wrote_are_found_by_them()
    {
        var folder = Directory.CreateTempSubdirectory("physsec-upgrade-");
        try
        {
            using (var old = new SqliteConnection($"data source={Path.Combine(folder.FullName, "hub.db")};pooling=false"))
            {
                old.Open();
                Schema.Apply(old, steps: 10);
                old.Execute(
                    """
                    insert into ledger (source, epoch, stream, seq, hash, body, received_at, at, kind) values
                      ('node-a', 1, 'a', 1, '', '{"fact":{"kind":"alarm.raised","alarm":"leak:leak","class":"leak","source":"leak"}}', 1000000, 1000000, 'alarm.raised'),
                      ('node-a', 1, 'a', 2, '', 'no JSON', 1000000, 1000000, 'alarm.cleared'),
                      ('hub', 1, 'a', 1, '', '{"fact":{"kind":"hub.act","target":"node-a/leak:leak"}}', 2000000, 2000000, 'hub.alarm.acknowledged'),
                      ('hub', 1, 'a', 2, '', '{"fact":{"kind":"hub.act","target":"abcd1234"}}', 2000000, 2000000, 'hub.credential.added');
                    """);
            }

            await using var store = Store.Open(Path.Combine(folder.FullName, "hub.db"));
            var log = new AccessLog(store, TimeProvider.System, new People(store, TimeProvider.System, new PolicySignal()));

            Assert.Equal(["hub.alarm.acknowledged", "alarm.raised"], log.Search(new(Alarm: "node-a/leak:leak")).Items.Select(it => it.Kind));
            Assert.Equal("hub.credential.added", log.Search(new(Credential: "abcd1234")).Items.Single().Kind);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
