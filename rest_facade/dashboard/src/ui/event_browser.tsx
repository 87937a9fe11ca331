// The events of an issue, one at a time: newest, oldest, the one before, the one after.
import { useEffect, useState } from "preact/hooks";
import { api, take, type App, type Event, type Issue } from "../api/client";
import { exact } from "../format";
import { t } from "../i18n";
import { useAction } from "./action";
import { Card, Copy, Empty } from "./basics";
import { EventView } from "./event_view";
import { useKeys } from "./keys";

const PAGE = 50;

interface Book {
  // Newest first and without gaps.
  events: Event[];
  at: number;
  // Opens the older ones; absent when these are all.
  older: string | undefined;
  // The first of them is the newest of all.
  fromNewest: boolean;
}

export function EventBrowser({ app, issue, latest }: { app: App; issue: Issue; latest: readonly object[] }) {
  const [book, setBook] = useState<Book>({ events: latest as Event[], at: 0, older: undefined, fromNewest: true });
  const { busy, run } = useAction();

  // While the newest is shown it stays the newest.
  useEffect(() => {
    setBook((before) => (before.fromNewest && before.at === 0 ? { events: latest as Event[], at: 0, older: undefined, fromNewest: true } : before));
  }, [latest]);

  const page = (query: object) => take(api.GET("/api/issues/{id}/events", { params: { path: { id: issue.id }, query: { pageSize: PAGE, ...query } } }));

  const older = () =>
    run(async () => {
      if (book.at + 1 < book.events.length) {
        setBook({ ...book, at: book.at + 1 });
        return;
      }
      const more = book.older === undefined ? await page({}) : await page({ pageToken: book.older });
      const fresh = book.older === undefined ? behind(more.events as Event[], book.events) : (more.events as Event[]);
      setBook({
        ...book,
        events: [...book.events, ...fresh],
        at: book.at + (fresh.length > 0 ? 1 : 0),
        older: more.nextPageToken,
      });
    });
  const newest = () =>
    run(async () => {
      const found = await page({});
      setBook({ events: found.events as Event[], at: 0, older: found.nextPageToken, fromNewest: true });
    });
  const oldest = () =>
    run(async () => {
      const events = await following(issue.firstSeenAt, [], page);
      setBook({ events, at: Math.max(0, events.length - 1), older: undefined, fromNewest: false });
    });
  const newer = () =>
    run(async () => {
      const first = book.events[0];
      if (book.at > 0 || book.fromNewest || !first) {
        setBook({ ...book, at: Math.max(0, book.at - 1) });
        return;
      }
      const fresh = await following(first.timestamp, book.events, page);
      setBook({ ...book, events: [...fresh, ...book.events], at: Math.max(0, fresh.length - 1), fromNewest: fresh.length === 0 });
    });

  const event = book.events[book.at];
  const atNewest = book.fromNewest && book.at === 0;
  const atOldest = book.at + 1 === book.events.length && (!book.fromNewest || (book.older === undefined && book.events.length >= Math.min(issue.eventCount, PAGE) && issue.eventCount <= book.events.length));
  useKeys({ "[": () => void older(), "]": () => void newer() });

  if (!event) return <Card title={t("event")}><Empty title={t("noEventKept")}><p>{t("noEventKeptWhy")}</p></Empty></Card>;
  return (
    <>
      <div class="card" style={{ padding: "10px 14px" }}>
        <div class="row apart">
          <div class="row" role="group" aria-label={t("events")}>
            <button class="button" type="button" disabled={busy || atNewest} onClick={() => void newest()}>{t("newest")}</button>
            <button class="button" type="button" disabled={busy || atNewest} onClick={() => void newer()}>← {t("newer")}</button>
            <button class="button" type="button" disabled={busy || atOldest} onClick={() => void older()}>{t("older")} →</button>
            <button class="button" type="button" disabled={busy || atOldest} onClick={() => void oldest()}>{t("oldest")}</button>
          </div>
          <span class="small soft">{exact(event.timestamp)}</span>
        </div>
      </div>
      <EventView app={app} event={event} />
      <Card title={t("rawJson")} aside={<Copy text={JSON.stringify(event, null, 2)} />} flush>
        <details>
          <summary class="small" style={{ padding: "10px 14px", cursor: "pointer" }}>{t("show")}</summary>
          <pre class="raw" tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
        </details>
      </Card>
    </>
  );
}

// What a page holds beyond the events that are shown already.
function behind(page: Event[], shown: readonly Event[]): Event[] {
  const last = page.findIndex((event) => event.eventId === shown[shown.length - 1]?.eventId);
  return last < 0 ? [] : page.slice(last + 1);
}

type Read = (query: object) => Promise<{ events: object[]; nextPageToken?: string }>;

const FIRST_SPAN_MS = 1_000;
const WIDEN = 24;
const MAX_PAGES = 20;

// The first events from an instant on that are not known yet, newest first, found by looking at ever longer spans.
async function following(start: number, known: readonly Event[], read: Read): Promise<Event[]> {
  const ids = new Set(known.map((event) => event.eventId));
  for (let span = FIRST_SPAN_MS; ; span *= WIDEN) {
    const found: Event[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { events, nextPageToken } = await read({ start, end: start + span, pageToken });
      found.push(...(events as Event[]).filter((event) => !ids.has(event.eventId)));
      pageToken = nextPageToken;
      if (!pageToken) break;
    }
    if (found.length > 0 || start + span > Date.now()) return found;
  }
}
