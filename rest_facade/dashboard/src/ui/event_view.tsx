// One event as people read it: stack, what led to it, and what is known about request, device and context.
import { useState } from "preact/hooks";
import { api, take, type App, type Event } from "../api/client";
import { clock, exact, millis } from "../format";
import { known, t } from "../i18n";
import { useQuery } from "../query";
import { paths } from "../router";
import { Badge, Card, Copy, Empty, type Tone } from "./basics";
import { frames, runs } from "./stack";

export function EventView({ app, event }: { app: App; event: Event }) {
  const stack = typeof event.stack === "string" ? event.stack : "";
  return (
    <>
      <Recording app={app} event={event} />
      {stack && <Stack stack={stack} key={event.eventId} />}
      {event.type !== "http" && <Crumbs event={event} />}
      {event.type === "http" && <Facts title={t("request")} rows={requestRows(event)} />}
      <Facts title={t("aboutEvent")} rows={eventRows(event)} />
      <Facts title={t("device")} rows={Object.entries(event.deviceInfo ?? {}).map(([name, value]) => [known(`device.${name}`, name), value])} />
      <Facts title={t("context")} rows={Object.entries(event.context ?? {})} />
      <Facts title={t("otherFields")} rows={Object.entries(event).filter(([name]) => !SHOWN.has(name))} />
    </>
  );
}

const SHOWN = new Set([
  "eventId", "type", "timestamp", "appKey", "platform", "sessionId", "anonymousId", "userId", "sdkVersion", "release", "environment", "pageUrl",
  "page", "scene", "deviceInfo", "context", "fingerprint", "errorType", "message", "stack", "filename", "lineno", "colno", "breadcrumbs", "method",
  "url", "status", "duration", "success", "errorMessage", "requestData",
]);

type Row = [string, unknown];

function eventRows(event: Event): Row[] {
  const place = event.filename ? [event.filename, event.lineno, event.colno].filter((part) => part !== undefined).join(":") : undefined;
  const rows: Row[] = [
    [t("time"), exact(event.timestamp)],
    [t("user"), event.userId],
    [t("visitor"), event.anonymousId],
    [t("clientSession"), event.sessionId],
    [t("release"), event.release],
    [t("environment"), event.environment],
    [t("platform"), event.platform],
    [t("page"), event.pageUrl ?? event.page],
    [t("scene"), event.scene],
    [t("file"), place],
    [t("sdkVersion"), event.sdkVersion],
    [t("eventId"), event.eventId],
  ];
  return rows;
}

function requestRows(event: Event): Row[] {
  return [
    [t("method"), event.method],
    [t("address"), event.url],
    [t("httpStatus"), event.status ?? t("noResponse")],
    [t("took"), event.duration === undefined ? undefined : millis(event.duration)],
    [t("fault"), event.errorMessage],
    [t("sentData"), event.requestData],
  ];
}

function Facts({ title, rows }: { title: string; rows: Row[] }) {
  const filled = rows.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return filled.length === 0 ? null : (
    <Card title={title} flush>
      <table class="facts">
        <tbody>
          {filled.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{typeof value === "object" ? JSON.stringify(value, null, 2) : String(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Stack({ stack }: { stack: string }) {
  const all = frames(stack);
  return (
    <Card title={t("stack")} aside={<Copy text={stack} label="copyStack" />} flush>
      <ol class="frames">
        {runs(all).map((run, n) =>
          run[0]!.own ? (
            run.map((frame, at) => (
              <li class={n === 0 && at === 0 ? "" : "own"} key={`${n}.${at}`}>
                {frame.text}
              </li>
            ))
          ) : (
            <li style={{ padding: 0 }} key={n}>
              <details>
                <summary>{t("foreignFrames", { n: run.length })}</summary>
                <ol>
                  {run.map((frame, at) => (
                    <li key={at}>{frame.text}</li>
                  ))}
                </ol>
              </details>
            </li>
          ),
        )}
      </ol>
    </Card>
  );
}

const CRUMB_TONES: Record<string, Tone> = { http: "info", click: "good", navigation: "warn" };
const SHOWN_CRUMBS = 30;

function Crumbs({ event }: { event: Event }) {
  const [all, setAll] = useState(false);
  const crumbs = Array.isArray(event.breadcrumbs) ? event.breadcrumbs : [];
  const hidden = all ? 0 : Math.max(0, crumbs.length - SHOWN_CRUMBS);
  return (
    <Card title={t("breadcrumbs")} flush>
      {crumbs.length === 0 ? (
        <Empty title={t("noBreadcrumbs")} />
      ) : (
        <ol class="crumbs">
          {hidden > 0 && (
            <li>
              <button class="button quiet" type="button" onClick={() => setAll(true)}>
                {t("showEarlier", { n: hidden })}
              </button>
            </li>
          )}
          {crumbs.slice(hidden).map((crumb, at) => (
            <li key={at}>
              <span class="soft small" title={crumb.timestamp ? exact(crumb.timestamp) : undefined}>
                {crumb.timestamp ? clock(crumb.timestamp) : "–"}
              </span>
              <span>
                <Badge tone={CRUMB_TONES[crumb.type ?? ""] ?? ""}>{known(`crumb.${crumb.type}`, crumb.type ?? "–")}</Badge>
              </span>
              <span class="text">
                {crumb.message}
                {crumb.data && <code class="soft"> {JSON.stringify(crumb.data)}</code>}
              </span>
            </li>
          ))}
          <li class="crash">
            <span class="small" title={exact(event.timestamp)}>{clock(event.timestamp)}</span>
            <span>
              <Badge tone="bad">{t("error")}</Badge>
            </span>
            <span class="text">{event.message || t("noMessage")}</span>
          </li>
        </ol>
      )}
    </Card>
  );
}

const DIGITS = /^\d{1,20}$/;

// The recorded session this event fell into, opened a little before.
function Recording({ app, event }: { app: App; event: Event }) {
  const id = typeof event.sessionId === "string" && DIGITS.test(event.sessionId) ? event.sessionId : null;
  const found = useQuery(`recording ${id}`, async (signal) => (id === null ? null : take(api.GET("/api/sessions/{id}", { params: { path: { id } }, signal }))));
  return found.data ? (
    <a class="button main" href={paths.session(app.id, found.data.session.id, event.timestamp - 5_000)}>
      ▶ {t("watchSession")}
    </a>
  ) : null;
}
