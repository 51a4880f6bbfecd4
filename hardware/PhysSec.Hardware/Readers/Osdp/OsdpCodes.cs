namespace PhysSec.Hardware;

/// <summary>What a controller sends (OSDP v2.2 command codes).</summary>
public enum OsdpCommand : byte
{
    Poll = 0x60,
    Id = 0x61,
    Capabilities = 0x62,
    LocalStatus = 0x64,
    InputStatus = 0x65,
    OutputStatus = 0x66,
    ReaderStatus = 0x67,
    Output = 0x68,
    Led = 0x69,
    Buzzer = 0x6A,
    Text = 0x6B,
    CommunicationSet = 0x6E,
    BiometricRead = 0x73,
    BiometricMatch = 0x74,
    KeySet = 0x75,
    Challenge = 0x76,
    ServerCryptogram = 0x77,
    ReceiveSize = 0x7B,
    FileTransfer = 0x7C,
    Manufacturer = 0x80,
    ExtendedWrite = 0xA1,
    Abort = 0xA2,
    PivData = 0xA3,
    GeneralAuthenticate = 0xA4,
    CardAuthenticate = 0xA5,
    KeepActive = 0xA7,
}

/// <summary>What a reader answers (OSDP v2.2 reply codes).</summary>
public enum OsdpReply : byte
{
    Ack = 0x40,
    Nak = 0x41,
    Id = 0x45,
    Capabilities = 0x46,
    LocalStatus = 0x48,
    InputStatus = 0x49,
    OutputStatus = 0x4A,
    ReaderStatus = 0x4B,
    CardBits = 0x50,
    CardText = 0x51,
    Keypad = 0x53,
    Communication = 0x54,
    BiometricRead = 0x57,
    BiometricMatch = 0x58,
    ExtendedId = 0x59,
    ClientCryptogram = 0x76,
    InitialReplyMac = 0x78,
    Busy = 0x79,
    FileTransferStatus = 0x7A,
    PivData = 0x80,
    GeneralAuthenticate = 0x81,
    CardAuthenticate = 0x82,
    ManufacturerStatus = 0x83,
    ManufacturerError = 0x84,
    Manufacturer = 0x90,
    ExtendedRead = 0xB1,
}

/// <summary>Why a reader refuses a command.</summary>
public enum OsdpNak : byte
{
    None = 0,
    CheckCharacter = 1,
    CommandLength = 2,
    UnknownCommand = 3,
    Sequence = 4,
    SecurityBlockUnsupported = 5,
    EncryptionRequired = 6,
    BiometricType = 7,
    BiometricFormat = 8,
    UnableToProcess = 9,
}

/// <summary>The security block's type byte.</summary>
public enum OsdpBlock : byte
{
    None = 0,
    Challenge = 0x11,
    ClientCryptogram = 0x12,
    ServerCryptogram = 0x13,
    InitialReplyMac = 0x14,
    CommandMac = 0x15,
    ReplyMac = 0x16,
    CommandEncrypted = 0x17,
    ReplyEncrypted = 0x18,
}

/// <summary>What a reader says it can do (function codes of the capabilities reply).</summary>
public enum OsdpFunction : byte
{
    ContactStatus = 1,
    OutputControl = 2,
    CardFormat = 3,
    Led = 4,
    Audible = 5,
    Text = 6,
    TimeKeeping = 7,
    CheckCharacter = 8,

    /// <summary>Level bit 0: AES-128. Count bit 0: still on the default key.</summary>
    CommunicationSecurity = 9,
    ReceiveSize = 10,
    LargestCombined = 11,
    SmartCard = 12,
    Readers = 13,
    Biometric = 14,
    SecurePin = 15,
    Version = 16,
    ExtendedId = 17,
}

/// <summary>Why bytes are no frame.</summary>
public enum OsdpFrameFault
{
    None = 0,

    /// <summary>More bytes are needed.</summary>
    Incomplete = 1,

    /// <summary>The first byte does not start a frame.</summary>
    NoStart = 2,

    /// <summary>The length field is outside 7 to <see cref="OsdpFrame.LengthMax"/>.</summary>
    Length = 3,

    /// <summary>CRC-16 or checksum is wrong.</summary>
    CheckCharacter = 4,

    /// <summary>The old multi-part flag, which v2.2 no longer has.</summary>
    MultiPart = 5,

    /// <summary>The security block's length does not fit its type or the frame, or there is no such type.</summary>
    SecurityBlock = 6,

    /// <summary>The line went silent within a frame.</summary>
    CutOff = 7,
}
