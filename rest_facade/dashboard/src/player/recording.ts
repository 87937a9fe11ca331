// A recorded session as the player wants it: read whole, sorted into lanes, ready to be asked about any instant.
import { api, take, type Schemas } from "../api/client";

export type Message = Schemas["MessageList"]["messages"][number];
export type Shot = Schemas["ImageList"]["images"][number];
export type Signal = Schemas["SessionAnswer"]["signals"][number];

export interface Recording {
  answer: Schemas["SessionAnswer"];
  messages: Message[];
  shots: Shot[];
  start: number;
  end: number;
  // More messages or pictures than are read here.
  isCut: boolean;
}

const PAGE = 1_000;
const MAX_PAGES = 20;

export async function load(id: string, signal: AbortSignal): Promise<Recording> {
  const path = { id };
  const [answer, messages, shots] = await Promise.all([
    take(api.GET("/api/sessions/{id}", { params: { path }, signal })),
    all(async (pageToken) => {
      const page = await take(api.GET("/api/sessions/{id}/messages", { params: { path, query: { pageSize: PAGE, pageToken } }, signal }));
      return [page.messages, page.nextPageToken];
    }),
    all(async (pageToken) => {
      const page = await take(api.GET("/api/sessions/{id}/images", { params: { path, query: { pageSize: PAGE, pageToken } }, signal }));
      return [page.images, page.nextPageToken];
    }),
  ]);
  const start = answer.session.startedAt;
  // A device whose clock jumped must not make a session of years.
  const last = Math.max(answer.session.lastMessageAt, messages.items.at(-1)?.timestamp ?? 0, shots.items.at(-1)?.takenAt ?? 0);
  return {
    answer,
    messages: messages.items,
    shots: shots.items,
    start,
    end: Math.max(start + 1_000, last),
    isCut: messages.isCut || shots.isCut,
  };
}

async function all<T>(read: (pageToken: string | undefined) => Promise<[T[], string | undefined]>): Promise<{ items: T[]; isCut: boolean }> {
  const items: T[] = [];
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const [more, next] = await read(token);
    items.push(...more);
    if (!next) return { items, isCut: false };
    token = next;
  }
  return { items, isCut: true };
}

export type Kind = "tap" | "swipe" | "input" | "screen" | "network" | "log" | "performance" | "crash" | "other";

const KINDS: Record<number, Kind> = { 93: "other", 97: "crash", 98: "screen", 99: "screen", 100: "tap", 101: "input", 102: "performance", 103: "log", 104: "log", 105: "network", 106: "swipe", 109: "network" };

export const kindOf = (message: Message): Kind => KINDS[message.type] ?? "other";

export const text = (message: Message, field: string): string => {
  const value = message.fields[field];
  return value === undefined || value === null ? "" : String(value);
};

export const amount = (message: Message, field: string): number => {
  const value = message.fields[field];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
};

// One line about a message.
export function summary(message: Message): string {
  const one = (...names: string[]) => names.map((name) => text(message, name)).filter(Boolean).join(" ");
  switch (kindOf(message)) {
    case "tap":
      return one("label");
    case "swipe":
      return one("direction", "label");
    case "input":
      return one("label", "value");
    case "screen":
      return one("screenName", "title", "viewName");
    case "network":
      return one("method", "operationKind", "url", "operationName", "status");
    case "log":
      return one("severity", "content");
    case "performance":
      return one("name", "value");
    case "crash":
      return one("name", "reason");
    default:
      return Object.entries(message.fields).map(([name, value]) => `${name}: ${value}`).join(", ");
  }
}

// The place of the last item at or before an instant; -1 before the first.
export function lastAt<T>(items: readonly T[], time: (item: T) => number, at: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time(items[middle]!) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export interface Span {
  start: number;
  end: number;
  name: string;
}

// The screens one after the other, each until the next.
export function screens(recording: Recording): Span[] {
  const found: Span[] = [];
  for (const message of recording.messages) {
    if (message.type === 99 || kindOf(message) !== "screen" || message.fields["visible"] === false) continue;
    const name = text(message, "screenName") || text(message, "title") || text(message, "viewName");
    const last = found[found.length - 1];
    if (last?.name === name) continue;
    if (last) last.end = message.timestamp;
    found.push({ start: message.timestamp, end: recording.end, name });
  }
  return found;
}

export function measured(recording: Recording, name: string): [number, number][] {
  return recording.messages.filter((one) => one.type === 102 && text(one, "name") === name).map((one) => [one.timestamp, amount(one, "value")]);
}

const IDLE_MS = 5_000;

// Where to go on when nothing happens for a while from here; undefined where something does.
export function afterIdle(recording: Recording, at: number): number | undefined {
  const next = recording.messages.find((one) => one.timestamp > at && kindOf(one) !== "performance")?.timestamp ?? recording.end;
  return next - at > IDLE_MS ? next - 1_000 : undefined;
}

export function screenSize(recording: Recording): { width: number; height: number } {
  const said = (name: string) => {
    const value = recording.answer.start[name];
    return typeof value === "number" && value > 0 ? value : 0;
  };
  return { width: said("width") || 390, height: said("height") || 844 };
}
