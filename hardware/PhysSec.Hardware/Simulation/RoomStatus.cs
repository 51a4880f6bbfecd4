using System.Text;
using System.Text.Json;

namespace PhysSec.Hardware.Simulation;

/// <summary>What a room looks like to whoever stands in it, as JSON. What stands outside of "doors" is the first door's.</summary>
internal static class RoomStatus
{
    public static string Text(Room room, Sht4xChip chip, RoomLines lines, double speed, int linesHeld)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("temperature", Math.Round(room.Temperature, 2));
            json.WriteNumber("humidity", Math.Round(room.Humidity, 2));
            json.WriteNumber("heatWatts", room.HeatWatts);
            json.WriteBoolean("coolingOn", room.CoolingOn);
            json.WriteNumber("coolingWatts", Math.Round(room.CoolingWatts));
            json.WriteNumber("coolingCapacity", room.CoolingCapacity);
            if (room.Doors.Count > 0) Door(json, room.Doors[0]);
            json.WriteBoolean("leak", room.Leak);
            json.WriteBoolean("mains", room.Mains);
            json.WriteNumber("supplyVolts", room.SupplyVolts);
            json.WriteBoolean("enclosureTamper", room.EnclosureTampered);
            json.WriteBoolean("fire", room.Fire);
            json.WriteBoolean("shaking", room.Shaking);
            json.WriteBoolean("guardArmed", room.GuardArmed);
            json.WriteString("sensor", chip.Fault == ChipFault.None ? "ok" : FieldReader.Camel(chip.Fault));
            json.WriteBoolean("lamp", room.IsOn(DeviceRole.Lamp));
            json.WriteBoolean("siren", room.IsOn(DeviceRole.Siren));
            json.WriteBoolean("guardAlarm", room.IsOn(DeviceRole.GuardAlarm));
            json.WriteBoolean("guardCall", room.IsOn(DeviceRole.GuardCall));
            json.WriteStartObject("lines");
            foreach (var (input, condition) in lines.Conditions) json.WriteString(input, condition);
            json.WriteEndObject();
            json.WriteNumber("speed", speed);
            json.WriteNumber("linesHeld", linesHeld);
            json.WriteStartObject("doors");
            foreach (var it in room.Doors)
            {
                json.WriteStartObject(it.Id);
                Door(json, it);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Door(Utf8JsonWriter json, RoomDoor door)
    {
        json.WriteString("leaf", door.LeafOpen ? "open" : "closed");
        json.WriteBoolean("lockFree", door.LockFree);
        json.WriteBoolean("lockOutput", door.IsOn(DeviceRole.Lock));
        json.WriteNumber("lockReleases", door.LockReleases);
        json.WriteBoolean("secured", door.Secured);
        json.WriteBoolean("exitPressed", door.ExitPressed);
        json.WriteBoolean("doorTamper", door.Tampered);
        json.WriteBoolean("breakGlass", door.GlassBroken);
        json.WriteBoolean("led", door.IsOn(DeviceRole.ReaderLed));
        json.WriteBoolean("buzzer", door.IsOn(DeviceRole.ReaderBuzzer));
    }
}
