using System.Buffers.Binary;

namespace PhysSec.Hardware;

/// <summary>The handshake, and how a reader comes by its key.</summary>
public sealed partial class OsdpLink
{
    /// <summary>A window that an operator forgets closes itself.</summary>
    public static readonly TimeSpan InstallationMax = TimeSpan.FromMinutes(15);

    private const int ReaderRandomAt = 8, CryptogramAt = 16;
    private const int KeySetTriesMax = 3;

    private readonly List<(OsdpHandshake Handshake, OsdpKey Key)> _candidates = [];
    private OsdpSecureChannel? _session;
    private OsdpHandshake? _handshake;
    private OsdpKey? _sessionKey;
    private byte[] _readerRandom = [];
    private ulong _clientId;

    private TimeSpan? _installUntil;
    private bool _asksDefault, _triesOwnKey, _keyIsStored, _keyWasSent, _overDefaultKey;

    /// <summary>Asked for; and done, but for the session that still runs.</summary>
    private bool _replaces, _forgotten;
    private int _keySetTries;

    /// <summary>What the shell has been asked to store and has not confirmed.</summary>
    private OsdpKeyState? _unstored;

    private bool MayUseDefault => _installUntil is not null && _keyIsStored;

    private bool CanChallenge => MayUseDefault || Keys != OsdpKeyState.None;

    private void OpenInstallation(OsdpLinkInput.OpenInstallation open, TimeSpan now)
    {
        if (_installUntil is not null || _unstored is not null)
        {
            _events.Add(new OsdpEvent.KeyChangeFailed(Address, OsdpKeyChangeFault.Busy));
            return;
        }

        (_installUntil, _triesOwnKey, _replaces) = (Min(open.Until, now + InstallationMax), false, open.Replaces);
        _keyWasSent = !open.Replaces && open.Key.Equals(Keys.Pending); // One that was kept before may have reached the reader.
        Announce(open.Replaces ? new OsdpKeyState(null, open.Key) : Keys with { Pending = open.Key });
        if (!_waiting && State != OsdpLinkState.Online) RetryNow(now);
    }

    private void CloseInstallation(TimeSpan now)
    {
        if (_installUntil is null) return;

        (_installUntil, _replaces) = (null, false);
        _events.Add(new OsdpEvent.KeyChangeFailed(Address, OsdpKeyChangeFault.WindowClosed));
        if (!_keyWasSent) Announce(Keys with { Pending = null }); // The reader cannot have it.
        if (!_waiting && _sessionKey == OsdpKey.Default) Restart(now, planned: false);
    }

    private void ChangeKey(OsdpKey key)
    {
        OsdpKeyChangeFault? fault = State != OsdpLinkState.Online || _session is null ? OsdpKeyChangeFault.NotOnline
            : _unstored is not null || Keys.Pending is not null ? OsdpKeyChangeFault.Busy
            : key.Equals(Keys.Current) ? OsdpKeyChangeFault.SameKey
            : null;
        if (fault is { } known) _events.Add(new OsdpEvent.KeyChangeFailed(Address, known));
        else Announce(Keys with { Pending = key });
    }

    private void Announce(OsdpKeyState keys)
    {
        (_unstored, _keyIsStored, _keySetTries) = (keys, false, 0);
        if (keys.Pending is null) Keys = keys;
        _events.Add(new OsdpEvent.KeysChanged(Address, keys, _replaces));
    }

    /// <summary>Only a key that will survive a power cut is sent.</summary>
    private void Stored(OsdpKeyState keys, TimeSpan now)
    {
        if (_unstored is null || keys != _unstored) return;
        (Keys, _unstored, _keyIsStored) = (keys, null, true);
        if (_replaces) ForgetDevice();
        if (!_waiting && _installUntil is not null && _stage == Stage.Probe) _due = now;
    }

    private void NotStored(OsdpKeyState keys)
    {
        if (_unstored is null || keys != _unstored) return;
        (_unstored, _installUntil, _replaces) = (null, null, false);
        if (keys.Pending is not null) _events.Add(new OsdpEvent.KeyChangeFailed(Address, OsdpKeyChangeFault.NotKept));
    }

    /// <summary>The device before is of no use from here on: not even a key is sent to it.</summary>
    private void ForgetDevice()
    {
        (_replaces, _forgotten, _pin, Found, _why) = (false, true, null, null, OsdpOffline.NoKey);
        if (State != OsdpLinkState.Offline) GoOffline();
    }

    private void ComposeChallenge()
    {
        ForgetHandshake();
        Span<byte> challenge = stackalloc byte[OsdpHandshake.ChallengeLength];
        _random(challenge);
        _asksDefault = MayUseDefault && (!_triesOwnKey || Keys == OsdpKeyState.None);
        if (_asksDefault) _candidates.Add((new OsdpHandshake(OsdpKey.Default, challenge), OsdpKey.Default));
        else
        {
            if (Keys.Pending is { } pending) _candidates.Add((new OsdpHandshake(pending, challenge), pending));
            if (Keys.Current is { } current) _candidates.Add((new OsdpHandshake(current, challenge), current));
        }

        _command = OsdpCommand.Challenge;
        _sent = OsdpFrame.Build(Address, _sequence, OsdpCommand.Challenge, challenge, OsdpBlock.Challenge, KeyByte);
    }

    private byte KeyByte => (byte)(_asksDefault ? 0 : 1);

    private void ReadClientCryptogram(OsdpFrame frame, TimeSpan now)
    {
        var data = frame.Data.Span;
        if (frame.BlockData != KeyByte || data.Length != CryptogramAt + OsdpHandshake.CryptogramLength)
        {
            _security.Add(OsdpSecurity.OtherKeyOffered, now, _events);
            Fail(now, OsdpOffline.KeyRefused);
            return;
        }

        _clientId = BinaryPrimitives.ReadUInt64BigEndian(data);
        _readerRandom = data[ReaderRandomAt..CryptogramAt].ToArray();
        foreach (var (handshake, key) in _candidates)
        {
            if (OsdpHandshake.Matches(handshake.ClientCryptogram(_readerRandom), data[CryptogramAt..])) (_handshake, _sessionKey) = (handshake, key);
        }

        if (_handshake is not null)
        {
            _stage = Stage.Cryptogram;
            return;
        }

        _security.Add(OsdpSecurity.KeyMismatch, now, _events);
        Fail(now, OsdpOffline.KeyRefused);
    }

    private void ComposeCryptogram()
    {
        _command = OsdpCommand.ServerCryptogram;
        _sent = OsdpFrame.Build(Address, _sequence, OsdpCommand.ServerCryptogram, _handshake!.ServerCryptogram(_readerRandom), OsdpBlock.ServerCryptogram, KeyByte);
    }

    private void ReadInitialReplyMac(OsdpFrame frame, TimeSpan now)
    {
        if (frame.BlockData != 1 || !OsdpHandshake.Matches(_handshake!.InitialReplyMac(_readerRandom), frame.Data.Span))
        {
            _security.Add(OsdpSecurity.HandshakeRefused, now, _events);
            Fail(now, OsdpOffline.KeyRefused);
            return;
        }

        var proved = _sessionKey;
        _session = _handshake.Session(isController: true, _readerRandom);
        ForgetHandshake();
        _sessionKey = proved;
        Statistics = Statistics with { Sessions = Statistics.Sessions + 1 };
        if (State != OsdpLinkState.Online || now - _lastValid > _oldAfter) _draining = true;
        (_sessionSince, _exchanges, _why) = (now, 0, OsdpOffline.NoReply);
        if (_asksDefault)
        {
            _stage = MayUseDefault && Keys.Pending is not null ? Stage.KeySet : Stage.Probe;
            if (_stage == Stage.Probe) Fail(now, OsdpOffline.NoKey); // The window has closed meanwhile.
            else _events.Add(new OsdpEvent.KeyProgress(Address, OsdpKeyStep.DefaultKeyFound));
            return;
        }

        _lastValid = now;
        _stage = Stage.Identify;
        if (Keys.Pending is not null) Prove(proved!);
    }

    /// <summary>Which of the two keys the reader has is known now.</summary>
    private void Prove(OsdpKey key)
    {
        if (key.Equals(Keys.Pending))
        {
            _overDefaultKey |= Keys.Current is null; // Also when the power failed in between.
            _relearns = _overDefaultKey;
            _installUntil = null;
            Announce(new OsdpKeyState(key, null));
            _events.Add(new OsdpEvent.KeyInstalled(Address, key.Fingerprint, _overDefaultKey));
            _overDefaultKey = false;
        }
        else if (_keySetTries >= KeySetTriesMax)
        {
            GiveUpKey();
        }
        else
        {
            _keyIsStored = _unstored is null; // A change that a power cut broke off goes on.
        }
    }

    private void ComposeKeySet()
    {
        (_keyWasSent, _overDefaultKey) = (true, _sessionKey == OsdpKey.Default);
        _keySetTries++;
        Ask(OsdpCommand.KeySet, [1, OsdpKey.Length, .. Keys.Pending!.Bytes]);
    }

    private void KeySetAnswered(OsdpReply reply, TimeSpan now)
    {
        if (reply != OsdpReply.Nak)
        {
            ProveKey(now);
            return;
        }

        GiveUpKey();
        if (_sessionKey == OsdpKey.Default) Fail(now, OsdpOffline.NoKey);
        else _stage = Stage.Ready;
    }

    private void ProveKey(TimeSpan now)
    {
        _events.Add(new OsdpEvent.KeyProgress(Address, OsdpKeyStep.KeyTaken));
        _triesOwnKey = true;
        Restart(now, planned: true);
    }

    private void GiveUpKey()
    {
        _installUntil = null;
        Announce(Keys with { Pending = null });
        _events.Add(new OsdpEvent.KeyChangeFailed(Address, OsdpKeyChangeFault.Refused));
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void ForgetHandshake()
    {
        foreach (var (handshake, _) in _candidates) handshake.Dispose();
        _candidates.Clear();
        (_handshake, _sessionKey) = (null, null);
    }
}
