// The phone: the picture of the instant, and the fingers on it.
import { useEffect, useState } from "preact/hooks";
import { picture } from "../api/client";
import { t } from "../i18n";
import { amount, kindOf, lastAt, screenSize, type Message, type Recording, type Shot } from "./recording";

const KEPT = 40;
const AHEAD = 6;
const TOUCH_MS = 700;

// Pictures around the instant, fetched with the token; the oldest go when there are too many.
class Album {
  private readonly found = new Map<string, string>();
  private readonly asked = new Set<string>();
  private readonly stop = new AbortController();

  constructor(
    private readonly sessionId: string,
    private readonly arrived: () => void,
  ) {}

  address(shot: Shot): string | undefined {
    return this.found.get(shot.name);
  }

  want(shots: readonly Shot[]): void {
    for (const { name } of shots) {
      if (this.asked.has(name)) continue;
      this.asked.add(name);
      picture(this.sessionId, name, this.stop.signal).then(
        (address) => this.keep(name, address),
        () => this.asked.delete(name),
      );
    }
  }

  close(): void {
    this.stop.abort();
    for (const address of this.found.values()) URL.revokeObjectURL(address);
  }

  private keep(name: string, address: string): void {
    if (this.stop.signal.aborted) {
      URL.revokeObjectURL(address);
      return;
    }
    this.found.set(name, address);
    for (const [old, gone] of this.found) {
      if (this.found.size <= KEPT) break;
      URL.revokeObjectURL(gone);
      this.found.delete(old);
      this.asked.delete(old);
    }
    this.arrived();
  }
}

export function Screen({ recording, at }: { recording: Recording; at: number }) {
  const [, arrived] = useState(0);
  const [album, setAlbum] = useState<Album>();
  const { shots } = recording;
  const { id } = recording.answer.session;
  useEffect(() => {
    const made = new Album(id, () => arrived((turn) => turn + 1));
    setAlbum(made);
    return () => made.close();
  }, [id]);

  const place = Math.max(0, lastAt(shots, (shot) => shot.takenAt, at));
  useEffect(() => album?.want(shots.slice(place, place + AHEAD)), [album, place, shots]);

  const shown = album && nearest(album, shots, place);
  const { width, height } = screenSize(recording);
  return (
    <div class="phone">
      <div class="glass" style={{ aspectRatio: `${width} / ${height}` }}>
        {shown ? <img src={shown} alt={t("screenshot")} /> : <span>{shots.length === 0 ? t("noScreenshots") : t("loading")}</span>}
        {touches(recording, at).map((touch) => (
          <span
            class={`touch ${touch.kind}`}
            key={touch.message.index}
            style={{ left: `${(100 * amount(touch.message, "x")) / width}%`, top: `${(100 * amount(touch.message, "y")) / height}%`, opacity: 1 - touch.age / TOUCH_MS }}
          />
        ))}
      </div>
    </div>
  );
}

// The picture of the instant or, until it is there, the one before it.
function nearest(album: Album, shots: readonly Shot[], place: number): string | undefined {
  for (let back = place; back >= Math.max(0, place - AHEAD); back--) {
    const shot = shots[back];
    const address = shot && album.address(shot);
    if (address) return address;
  }
  return undefined;
}

interface Touch {
  message: Message;
  kind: string;
  age: number;
}

function touches(recording: Recording, at: number): Touch[] {
  const found: Touch[] = [];
  for (let n = lastAt(recording.messages, (one) => one.timestamp, at); n >= 0; n--) {
    const message = recording.messages[n]!;
    const age = at - message.timestamp;
    if (age >= TOUCH_MS) break;
    const kind = kindOf(message);
    if (kind !== "tap" && kind !== "swipe") continue;
    const raging = recording.answer.signals.some((one) => one.kind === "rage_taps" && one.startedAt <= message.timestamp && message.timestamp <= one.endedAt);
    found.push({ message, kind: raging ? "rage" : kind, age });
  }
  return found;
}
