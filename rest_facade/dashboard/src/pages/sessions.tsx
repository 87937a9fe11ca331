// Recorded sessions of an app.
import { api, take, type App, type RecordedSession } from "../api/client";
import { count, duration } from "../format";
import { known, t } from "../i18n";
import { useQuery } from "../query";
import { paths, usePlace, withQuery } from "../router";
import { Ago, Badge, Card, Empty, Loaded, Select, useTitle } from "../ui/basics";
import { change, RangeSelect, Search, useRange } from "../ui/filters";

const USUAL = "14d";
const PAGE = 50;
const REFRESH_MS = 8_000;
const SHOWS = ["all", "crash", "signal"] as const;

export function SessionsPage({ app }: { app: App }) {
  useTitle(t("sessions"), app.name);
  const { query: asked } = usePlace();
  const range = useRange(USUAL);
  const show = SHOWS.find((one) => one === asked.get("show")) ?? "all";
  const query = {
    appKey: app.appKey,
    user: asked.get("user") ?? undefined,
    hasCrash: show === "crash" ? true : undefined,
    hasSignal: show === "signal" ? true : undefined,
    start: range.start,
    end: range.end,
    pageSize: PAGE,
    pageToken: asked.get("page") ?? undefined,
  };
  const found = useQuery(JSON.stringify(query), (signal) => take(api.GET("/api/sessions", { params: { query }, signal })), REFRESH_MS);
  return (
    <>
      <h1 class="sr">{`${app.name}: ${t("sessions")}`}</h1>
      <div class="filters" role="group" aria-label={t("filters")}>
        <Search label={t("userOrInstallation")} name="user" />
        <RangeSelect range={range} usual={USUAL} />
        <Select label={t("show")} value={show} options={SHOWS.map((one) => [one, t(`shows.${one}`)] as const)} onChoose={(value) => change({ show: value === "all" ? null : value })} />
      </div>
      <Loaded from={found} bones={6} height={48}>
        {(page) => (
          <div class="stack">
            <Card flush>
              {page.sessions.length === 0 ? (
                <Empty title={t("noSessions")}>
                  <p>{t("noSessionsWhy")}</p>
                  <a class="button" href={paths.app(app.id, "setup")}>
                    {t("setup")}
                  </a>
                </Empty>
              ) : (
                <Table app={app} sessions={page.sessions} />
              )}
            </Card>
            <nav class="row" aria-label={t("pages")}>
              {asked.has("page") && (
                <a class="button" href={withQuery({ page: null })}>
                  {t("firstPage")}
                </a>
              )}
              {page.nextPageToken && (
                <a class="button" href={withQuery({ page: page.nextPageToken })}>
                  {t("nextPage")}
                </a>
              )}
            </nav>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Table({ app, sessions }: { app: App; sessions: readonly RecordedSession[] }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("sessions")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("session")}</th>
            <th scope="col">{t("started")}</th>
            <th scope="col" class="num">{t("duration")}</th>
            <th scope="col" class="roomy">{t("device")}</th>
            <th scope="col" class="roomy">{t("appVersion")}</th>
            <th scope="col" class="num roomy">{t("taps")}</th>
            <th scope="col" class="num roomy">{t("messages")}</th>
            <th scope="col" class="roomy">{t("signals")}</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((one) => (
            <tr key={one.id}>
              <td>
                <a href={paths.session(app.id, one.id)}>▶ {one.userId || one.anonymousId || one.userUUID.slice(0, 8) || one.id}</a>
                <div class="cramped small soft">
                  {[deviceOf(one), one.release].filter(Boolean).join(" · ")}
                  <Signals of={one} />
                </div>
              </td>
              <td><Ago at={one.startedAt} /></td>
              <td class="num">{duration(one.lastMessageAt - one.startedAt)}</td>
              <td class="nowrap roomy">{deviceOf(one)}</td>
              <td class="roomy">{one.release || "–"}</td>
              <td class="num roomy">{count(one.counters.taps)}</td>
              <td class="num roomy">{count(one.counters.messages)}</td>
              <td class="roomy">
                <Signals of={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// The device and its system, whose name trackers write in lower case.
export function deviceOf({ device, platform, osVersion }: RecordedSession): string {
  const system = [platform && known(`type.${platform}`, platform), osVersion].filter(Boolean).join(" ");
  return [device, system].filter(Boolean).join(" · ");
}

export function Signals({ of: { counters } }: { of: RecordedSession }) {
  return (
    <span class="row" style={{ gap: "4px" }}>
      {counters.crashes > 0 && <Badge tone="bad">{t("nCrashes", { n: counters.crashes })}</Badge>}
      {counters.rageTaps > 0 && <Badge tone="warn">{t("nRageTaps", { n: counters.rageTaps })}</Badge>}
      {counters.freezes > 0 && <Badge tone="warn">{t("nFreezes", { n: counters.freezes })}</Badge>}
      {counters.failedRequests > 0 && <Badge tone="info">{t("nFailedRequests", { n: counters.failedRequests })}</Badge>}
      {counters.images === 0 && <Badge>{t("noScreenshots")}</Badge>}
    </span>
  );
}
