using Microsoft.Data.Sqlite;

namespace PhysSec.Hub.Storage;

/// <summary>The store's tables, in one place. A later version appends a step; steps are never changed.</summary>
internal static class Schema
{
    /// <summary>Which rows of the alarms are looked at every second; word for word the condition of their index.</summary>
    public const string WatchedAlarms =
        "(json_extract(body, '$.state.active') or json_extract(body, '$.state.repeatAt') is not null or json_extract(body, '$.state.shelvedUntil') is not null"
        + " or (json_extract(body, '$.state.latched') and json_extract(body, '$.state.raisedAt') is not null and json_extract(body, '$.state.acknowledged') is null))";

    private static readonly string[] _steps =
    [
        """
        create table meta (name text primary key, value text not null) without rowid;
        insert into meta values ('hub-epoch', '1');

        -- Every node record and every act of a person at the hub, exactly as written. Nothing here is ever updated or deleted.
        create table ledger (
          id integer primary key autoincrement,
          source text not null, epoch integer not null, stream text not null, seq integer not null,
          hash text not null, body text not null, received_at integer not null, at integer, late integer not null default 0,
          kind text not null, door text, direction text, person text, credential text, outcome text, reason text, code integer,
          unique (source, epoch, stream, seq));
        create index ledger_at on ledger (at, id);
        create index ledger_person on ledger (person, id) where person is not null;
        create index ledger_door on ledger (door, id) where door is not null;
        create index ledger_kind on ledger (kind, id);
        create index ledger_outcome on ledger (outcome, id) where outcome is not null;

        create table streams (
          source text not null, epoch integer not null, stream text not null,
          through integer not null, head text not null, primary key (source, epoch, stream)) without rowid;
        create table divergence (
          id integer primary key, source text not null, epoch integer not null, stream text not null, seq integer not null,
          hash text not null, body text not null, received_at integer not null, unique (source, epoch, stream, seq, hash));
        create table dead_letters (
          id integer primary key, received_at integer not null, source text, topic text not null, fault text not null,
          length integer not null, hash text not null, payload blob);
        create table refusals (
          id integer primary key, first_at integer not null, last_at integer not null, origin text not null, claimed text, fault text not null, count integer not null,
          unique (origin, claimed, fault));

        create table nodes (
          id text primary key, name text not null, thumbprint text not null, certificate text not null, epoch integer not null, revoked_at integer,
          enrolled_at integer not null, birth text, state text not null default 'never-seen', since integer, last_seen integer, health text) without rowid;

        create table people (
          id text primary key, name text not null, kana text not null, department text not null, email text, kind text not null,
          extended integer not null default 0, note text) without rowid;
        create table credentials (
          token text primary key, person text not null references people (id), state text not null, since integer not null, reason text,
          valid_from integer, valid_to integer) without rowid;
        create table zones (id text primary key, body text not null) without rowid;
        create table doors (id text primary key, node text not null, zone text not null, body text not null, lockdown integer not null default 0) without rowid;
        create table schedules (id text primary key, body text not null) without rowid;
        create table sensing (point text not null, node text not null, body text not null, primary key (node, point)) without rowid;
        create table rights (
          id text primary key, person text not null references people (id), zone text not null, schedule text not null, valid_from integer not null, valid_to integer not null,
          applicant text not null, approver text not null, application text not null, purpose text not null, removed_at integer) without rowid;
        create table policies (
          node text not null, version integer not null, hash text not null, body text not null, issued_at integer not null, in_force_at integer,
          primary key (node, version)) without rowid;

        create table alarms (key text primary key, node text not null, body text not null) without rowid;
        create table alarm_history (id integer primary key, at integer, recorded_at integer not null, key text not null, what text not null, late integer not null, body text not null);
        create index alarm_history_key on alarm_history (key, id);
        create table notifications (
          id integer primary key, alarm text not null, what text not null, channel text not null, made_at integer not null, body text not null,
          tries integer not null default 0, next_at integer, sent_at integer, fault text, given_up integer not null default 0);
        create index notifications_due on notifications (next_at) where next_at is not null;

        create table tokens (name text primary key, hash text not null unique, role text not null, may_release integer not null, expires_at integer not null) without rowid;
        """,
        """
        -- A search by time takes the time of receipt for a record that has none of its own.
        drop index ledger_at;
        create index ledger_when on ledger (coalesce(at, received_at), id);

        -- One open invitation a node; the code itself is shown once and stored as its hash.
        create table invitations (
          node text primary key, name text not null, hash text not null unique, made_at integer not null, expires_at integer not null, used_by text) without rowid;
        alter table nodes add column next_thumbprint text;
        alter table nodes add column next_certificate text;
        """,
        """
        -- An alarm's key names the node that raised it; the hub's own alarms keep theirs. Of two nodes with the same alarm only one had a row:
        -- what the ledger last has as raised stands again and is said at once.
        update or replace alarms set
            key = node || '/' || json_extract(body, '$.class') || ':' || json_extract(body, '$.source'),
            body = json_set(body, '$.key', node || '/' || json_extract(body, '$.class') || ':' || json_extract(body, '$.source'))
          where node <> '' and json_extract(body, '$.class') not in ('node-lost', 'record-diverged', 'dead-letter', 'stranger-at-broker', 'notification-failed');
        insert or ignore into alarms (key, node, body)
          select node || '/' || class || ':' || origin, node, json_object(
              'key', node || '/' || class || ':' || origin, 'class', class, 'source', origin, 'node', node,
              'state', json_object('active', json('true'), 'raisedAt', at, 'repeatAt', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
              'value', fact ->> '$.value', 'limit', fact ->> '$.limit', 'unit', fact ->> '$.unit', 'detail', fact ->> '$.detail')
          from (
            select source as node, kind, body -> '$.fact' as fact, body ->> '$.fact.class' as class, body ->> '$.fact.source' as origin,
              strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(at, received_at) / 1000000.0, 'unixepoch') as at,
              row_number() over (partition by source, body ->> '$.fact.class', body ->> '$.fact.source' order by epoch desc, seq desc) as age
            from ledger where kind in ('alarm.raised', 'alarm.cleared') and source in (select id from nodes where revoked_at is null))
          where age = 1 and kind = 'alarm.raised' and class is not null and origin is not null
            and class not in ('node-lost', 'record-diverged', 'dead-letter', 'stranger-at-broker', 'notification-failed');
        update notifications set
            alarm = json_extract(body, '$.node') || '/' || alarm,
            body = json_set(body, '$.key', json_extract(body, '$.node') || '/' || alarm)
          where json_extract(body, '$.node') is not null
            and json_extract(body, '$.class') not in ('node-lost', 'record-diverged', 'dead-letter', 'stranger-at-broker', 'notification-failed');
        """,
        $"create index alarms_watched on alarms (key) where {WatchedAlarms};",
        "alter table notifications add column superseded integer not null default 0; -- A newer message says the same and more: this one is not sent any more.",
        """
        -- Stretches of measurements that a node has declared thinned, so that no batch has to look for them among its access records.
        create table thinned (source text not null, epoch integer not null, first integer not null, last integer not null, primary key (source, epoch, last, first)) without rowid;
        insert or ignore into thinned
          select source, epoch, json_extract(body, '$.fact.first'), json_extract(body, '$.fact.last') from ledger
          where kind = 'measurements.thinned' and json_valid(body) and json_extract(body, '$.fact.last') between json_extract(body, '$.fact.first') and 4503599627370496;
        """,
        """
        -- What proves, after the node has forgotten its records, that it was the one who wrote them: its signature over the batch in which they came.
        create table batch_signatures (
          source text not null, epoch integer not null, stream text not null, first integer not null, last integer not null,
          prev text not null, head text not null, signature text not null, thumbprint text not null, primary key (source, epoch, stream, first, last, head)) without rowid;

        -- The same payload again is counted; a flood of different ones drives out the oldest.
        alter table dead_letters add column count integer not null default 1;
        alter table dead_letters add column last_at integer;
        update dead_letters set last_at = received_at;
        update dead_letters set (count, last_at) = (select count(*), max(received_at) from dead_letters it where it.topic = dead_letters.topic and it.hash = dead_letters.hash)
          where id in (select min(id) from dead_letters group by topic, hash having count(*) > 1);
        delete from dead_letters where id not in (select min(id) from dead_letters group by topic, hash);
        create unique index dead_letters_hash on dead_letters (topic, hash);
        """,
        "alter table nodes add column policy_ahead integer;",
        """
        -- An invitation of a spare board says why, and who invited it: the replacement itself is recorded when the board comes.
        alter table invitations add column replaces text;
        alter table invitations add column made_by text;
        """,
        """
        -- The ledger's Merkle tree, 256 hashes a row (level << 48 | index). Record n is leaf n - 1, and so the records have numbers without a hole.
        create table tiles (id integer primary key, hashes blob not null);
        create temp table places as select row_number() over (order by id) as place, id as old from ledger;
        create unique index temp.places_old on places (old);
        update ledger set id = (select place from temp.places where old = ledger.id) where id <> (select place from temp.places where old = ledger.id);
        drop table temp.places;

        -- What was signed, and who outside this machine has it.
        create table checkpoints (id integer primary key, size integer not null, made_at integer not null, note text not null);
        create table witnesses (checkpoint integer not null references checkpoints (id), channel text not null, at integer not null, primary key (checkpoint, channel)) without rowid;
        """,
        """
        -- At the end of its retention a record loses its text (body is then {}) and whatever tells of a person, a door or a time. What its leaf says stays, with the digest of
        -- the text, when it was deleted and the number of the record that certifies it.
        alter table ledger add column body_hash text;
        alter table ledger add column deleted_at integer;
        alter table ledger add column certificate integer;
        create table certificates (record integer primary key, at integer not null, class text not null, count integer not null, body text not null);

        -- The period in force of each class and, while one waits, the shorter one; through: nothing up to that number is left to delete but what is held.
        create table retention (class text primary key, years integer not null, next_years integer, next_at integer, through integer not null default 0) without rowid;

        -- Legal holds (廃棄停止). Lifting one takes two people; nothing is removed from here.
        create table holds (
          id integer primary key, begins integer not null, ends integer, person text, door text, reason text not null, set_by text not null, set_by_id text not null, set_at integer not null,
          asked_by text, asked_by_id text, asked_by_role text, asked_at integer, asked_reason text, lifted_by text, lifted_at integer);
        """,
        "create index ledger_entered on ledger (person, door) where kind = 'access.passage' and direction = 'in'; -- Whether somebody ever entered by a door.",
        "create table disk_use (source text not null, at integer not null, used integer not null, total integer not null, primary key (source, at)) without rowid;",
        """
        -- What a node issued again in a later epoch because it could not know that it was here. In the ledger it stands once, under the key that came first; this is where it stands
        -- again, on which chain value. Of its text nothing is kept here: what is deleted there is gone.
        create table reissued (
          source text not null, epoch integer not null, stream text not null, seq integer not null, hash text not null, prev text not null,
          first integer not null references ledger (id), received_at integer not null, primary key (source, epoch, stream, seq)) without rowid;
        create index ledger_timeless on ledger (source, stream, epoch) where at is null and body_hash is null;
        """,
        """
        -- What a record of an alarm is found by. Older records of cards and alarms get what newer ones are written with.
        alter table ledger add column alarm text;
        update ledger set alarm = source || '/' || (body ->> '$.fact.class') || ':' || (body ->> '$.fact.source') where kind in ('alarm.raised', 'alarm.cleared') and json_valid(body);
        update ledger set alarm = body ->> '$.fact.target'
          where kind in ('hub.alarm.acknowledged', 'hub.notification.made', 'hub.notification.sent', 'hub.notification.failed', 'hub.notification.superseded') and json_valid(body);
        update ledger set credential = body ->> '$.fact.target' where kind in ('hub.credential.added', 'hub.credential.state') and json_valid(body);

        -- One column and the time: a part of any period, in the order of an answer. Rows of one time lie by their number.
        drop index ledger_when;
        drop index ledger_person;
        drop index ledger_door;
        drop index ledger_kind;
        drop index ledger_outcome;
        create index ledger_when on ledger (coalesce(at, received_at));
        create index ledger_kind on ledger (kind, coalesce(at, received_at));
        create index ledger_source on ledger (source, coalesce(at, received_at));
        create index ledger_door on ledger (door, coalesce(at, received_at)) where door is not null;
        create index ledger_person on ledger (person, coalesce(at, received_at)) where person is not null;
        create index ledger_credential on ledger (credential, coalesce(at, received_at)) where credential is not null;
        create index ledger_reason on ledger (reason, coalesce(at, received_at)) where reason is not null;
        create index ledger_outcome on ledger (outcome, coalesce(at, received_at)) where outcome <> 'granted';
        create index ledger_alarm on ledger (alarm, coalesce(at, received_at)) where alarm is not null;
        create index ledger_late on ledger (late, coalesce(at, received_at)) where late = 1;
        """,
        """
        -- Who was turned away on which day of the site (day is its first moment): what fell in a past period stays as it was, however often the same knocks again.
        create table turned_away (
          day integer not null, what text not null, subject text not null, count integer not null, first_at integer not null, last_at integer not null,
          primary key (day, what, subject)) without rowid;
        -- When each of the earlier ones knocked is not known any more: they stand where they began.
        insert into turned_away select min(first_at), 'refusal', origin, sum(count), min(first_at), max(last_at) from refusals group by origin;
        insert into turned_away select min(received_at), 'dead-letter', coalesce(source, topic), sum(count), min(received_at), max(last_at) from dead_letters group by coalesce(source, topic);
        """,
        """
        -- Chain values whose node has a record before them that is not here, under a key that may be taken by another board's: they hang on that one (root).
        create table severed (
          source text not null, epoch integer not null, stream text not null, seq integer not null, hash text not null, root_seq integer not null, root_hash text not null,
          primary key (source, epoch, stream, seq, hash)) without rowid;

        -- The last record of a birth that had yet to come when the birth was heard. Gone when it is here, or missed.
        create table told (
          source text not null, epoch integer not null, seq integer not null, hash text not null, number integer, at integer, primary key (source, epoch, seq, hash)) without rowid;
        """,
        """
        -- Another record had its number when it was told of; and the mark of the journal that it stands in.
        alter table told add column fork integer not null default 0;
        alter table told add column journal text;
        """,
        """
        -- What tells a person's PIN and duress code from others; the codes themselves are nowhere. Alone: the random token of a code that also works without a card.
        create table pins (
          person text primary key references people (id), digits integer not null, salt text not null, verifier text not null, duress text not null,
          alone text unique, alone_verifier text unique, alone_duress text unique, issued_at integer not null) without rowid;
        """,
        """
        -- Mechanical keys (鍵管理簿) and who has had them. A loan's id is the number of the record that began it; without an end the key is out. What such a key opened is looked for
        -- from now on, in the order of the records: up to the number in meta every opening without a release is judged.
        create table keys (id text primary key, door text not null, label text not null, kind integer, added_at integer not null, removed_at integer) without rowid;
        create table key_loans (
          id integer primary key, key text not null references keys (id), person text not null references people (id), department text not null, purpose text not null,
          lent_at integer not null, entered_at integer not null, due_at integer not null, lent_by text not null, ended_at integer, ended_by text, lost integer not null default 0);
        create unique index key_loans_out on key_loans (key) where ended_at is null;
        create index key_loans_lent on key_loans (lent_at);
        create index ledger_forced on ledger (id) where kind = 'alarm.raised' and reason = 'door-forced';
        insert into meta select 'key-openings-through', coalesce(max(id), 0) from ledger;
        """,
    ];

    /// <param name="connection">The store.</param>
    /// <param name="steps">Fewer than all of them: the store of an older program.</param>
    public static void Apply(SqliteConnection connection, int? steps = null)
    {
        var version = connection.Number("pragma user_version");
        if (version > _steps.Length)
            throw new InvalidOperationException($"the store has schema {version}, this program knows {_steps.Length}; start a newer version of the hub");
        for (var next = version; next < (steps ?? _steps.Length); next++)
        {
            connection.Execute("begin immediate");
            connection.Execute(_steps[next]);
            connection.Execute($"pragma user_version = {next + 1}");
            connection.Execute("commit");
        }
    }
}
