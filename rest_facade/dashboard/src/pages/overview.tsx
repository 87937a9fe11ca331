// How one app does: totals against the period before, trends, what is new, what fails, how fast it is.
import { api, take, type App, type Bucket, type Issue, type Totals } from "../api/client";
import { count, DAY, HOUR, percent, short, signedPercent } from "../format";
import { known, t, type Key } from "../i18n";
import { useQuery } from "../query";
import { paths, withQuery } from "../router";
import { Ago, Badge, Card, Empty, Loaded, useTitle } from "../ui/basics";
import { Chart } from "../ui/chart";
import { FilterBar, RangeSelect, useFilter, useRange, type Filter, type Range } from "../ui/filters";
import { useReleaseMarks } from "../ui/releases";
import { Requests } from "../ui/requests";
import { Vitals } from "../ui/vitals";

const USUAL = "24h";
const REFRESH_MS = 8_000;
const LISTED = 6;

export function OverviewPage({ app }: { app: App }) {
  useTitle(t("overview"), app.name);
  const range = useRange(USUAL);
  const filter = useFilter();
  const narrowed = Object.keys(filter).length > 0;
  const question = JSON.stringify([app.appKey, range, filter]);
  const found = useQuery(question, (signal) => load(app, range, filter, signal), REFRESH_MS);
  return (
    <>
      <h1 class="sr">{`${app.name}: ${t("overview")}`}</h1>
      <FilterBar app={app} only={["platform", "release", "environment"]}>
        <RangeSelect range={range} usual={USUAL} />
      </FilterBar>
      <Loaded from={found} shape={<Shape />}>
        {({ totals, before, buckets }) =>
          totals.events === 0 && before.events === 0 && range.name === USUAL && !narrowed ? (
            <Card>
              <Empty title={t("noEventsYet")}>
                <p>{t("noEventsYetWhy")}</p>
                <a class="button main" href={paths.app(app.id, "setup")}>
                  {t("setup")}
                </a>
              </Empty>
            </Card>
          ) : (
            <div class="stack">
              <Tiles totals={totals} before={before} />
              <Trends app={app} buckets={buckets} range={range} />
            </div>
          )
        }
      </Loaded>
      <div class="columns">
        <IssueCard app={app} title={t("newIssues")} empty={t("noNewIssues")} range={range} filter={filter} order="first_seen" pick={(issue) => issue.firstSeenAt >= range.start} />
        <IssueCard app={app} title={t("regressions")} empty={t("noRegressions")} range={range} filter={filter} order="last_seen" pick={(issue) => issue.regressed} />
        <IssueCard app={app} title={t("failingRequests")} empty={t("noFailingRequests")} range={range} filter={{ ...filter, type: "http" }} order="events" pick={() => true} />
        <Stability app={app} range={range} />
        <Requests app={app} range={range} narrowed={narrowed} />
      </div>
      <Vitals app={app} range={range} narrowed={narrowed} />
    </>
  );
}

// The room that tiles and trends will take.
function Shape() {
  return (
    <div class="stack" role="status" aria-label={t("loading")}>
      <div class="tiles">
        {TILES.map(([name]) => (
          <div class="tile bone" style={{ height: "90px" }} key={name} />
        ))}
      </div>
      <div class="columns">
        <div class="card bone" style={{ height: "302px" }} />
        <div class="card bone" style={{ height: "302px" }} />
      </div>
    </div>
  );
}

interface Found {
  totals: Totals;
  before: Totals;
  buckets: Bucket[];
}

async function load(app: App, range: Range, filter: Filter, signal: AbortSignal): Promise<Found> {
  const query = { appKey: app.appKey, ...filter, start: range.start, end: range.end };
  const before = { ...query, start: range.start - range.spanMs, end: range.start - 1 };
  const [now, earlier, issues, earlierIssues] = await Promise.all([
    take(api.GET("/api/overview", { params: { query: { ...query, bucket: range.bucket } }, signal })),
    take(api.GET("/api/overview", { params: { query: before }, signal })),
    ...[query, before].map((counted) => take(api.GET("/api/issues/count", { params: { query: counted }, signal }))),
  ]);
  return {
    totals: { ...now.totals, ...issues },
    before: { ...earlier.totals, ...earlierIssues },
    buckets: now.buckets ?? [],
  };
}

const TILES: readonly [keyof Totals, Key, boolean][] = [
  ["events", "events", false],
  ["errors", "errors", true],
  ["failedRequests", "failedRequests", true],
  ["affectedUsers", "affectedUsers", true],
  ["issues", "issues", true],
];

function Tiles({ totals, before }: { totals: Totals; before: Totals }) {
  return (
    <div class="tiles">
      {TILES.map(([name, title, moreIsWorse]) => (
        <div class="tile" key={name}>
          <div class="name">{t(title)}</div>
          <div class="value" title={count(totals[name])}>
            {short(totals[name])}
          </div>
          <Change now={totals[name]} before={before[name]} moreIsWorse={moreIsWorse} />
        </div>
      ))}
    </div>
  );
}

// From here on a percentage says less than a multiple.
const MANY_TIMES = 10;

function Change({ now, before, moreIsWorse }: { now: number; before: number; moreIsWorse: boolean }) {
  const text = now === before ? t("asBefore") : before === 0 ? t("noneBefore") : now >= MANY_TIMES * before ? t("timesBefore", { times: count(Math.round(now / before)) }) : t("changeToBefore", { change: signedPercent((now - before) / before) });
  const tone = !moreIsWorse || now === before ? "soft" : now > before ? "bad" : "good";
  return (
    <div class={`small ${tone}`} title={t("beforeWas", { value: count(before) })}>
      {text}
    </div>
  );
}

function Trends({ app, buckets, range }: { app: App; buckets: Bucket[]; range: Range }) {
  const releases = useReleaseMarks(app, range);
  const times = buckets.map((bucket) => bucket.start);
  const stepMs = range.bucket === "day" ? DAY : HOUR;
  return (
    <div class="columns">
      <Card title={t("eventsOverTime")}>
        <Chart title={t("eventsOverTime")} times={times} stepMs={stepMs} lines={[{ name: t("events"), colour: "info", values: buckets.map((bucket) => bucket.events), bars: true }]} />
      </Card>
      <Card title={t("failuresOverTime")}>
        <Chart
          title={t("failuresOverTime")}
          times={times}
          stepMs={stepMs}
          lines={[
            { name: t("errors"), colour: "bad", values: buckets.map((bucket) => bucket.errors) },
            { name: t("failedRequests"), colour: "warn", values: buckets.map((bucket) => bucket.failedRequests) },
            { name: t("affectedUsers"), colour: "violet", values: buckets.map((bucket) => bucket.affectedUsers) },
          ]}
          marks={releases}
        />
      </Card>
    </div>
  );
}

interface IssueCardProps {
  app: App;
  title: string;
  empty: string;
  range: Range;
  filter: Filter;
  order: "last_seen" | "first_seen" | "events" | "users";
  pick: (issue: Issue) => boolean;
}

function IssueCard({ app, title, empty, range, filter, order, pick }: IssueCardProps) {
  const query = { appKey: app.appKey, ...filter, start: range.start, end: range.end, orderBy: order, pageSize: 100 };
  const found = useQuery(
    JSON.stringify([title, query]),
    async (signal) => (await take(api.GET("/api/issues", { params: { query }, signal }))).issues,
    2 * REFRESH_MS,
  );
  return (
    <Card title={title} aside={<a class="small" href={`${paths.app(app.id, "issues")}${withQuery({}).replace(/^[^?]*/, "")}`}>{t("allIssues")}</a>} flush>
      <Loaded from={found} bones={3} height={44}>
        {(issues) => {
          const shown = issues.filter(pick).slice(0, LISTED);
          return shown.length === 0 ? (
            <Empty title={empty} />
          ) : (
            <table>
              <tbody>
                {shown.map((issue) => (
                  <tr key={issue.id}>
                    <td style={{ maxWidth: 0, width: "100%" }}>
                      <a class="clip" style={{ display: "block" }} href={paths.issue(app.id, issue.id)}>
                        {issue.message || t("noMessage")}
                      </a>
                      <span class="soft small">
                        {known(`errorType.${issue.errorType}`, issue.errorType)} · <Ago at={issue.lastSeenAt} />
                      </span>
                    </td>
                    <td class="num">{issue.regressed ? <Badge tone="bad">{issue.regressedInRelease ?? t("regressed")}</Badge> : short(issue.eventCount)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loaded>
    </Card>
  );
}

// Kinds of apps whose sessions trackers record.
const RECORDED = new Set(["ios", "android", "react-native", "flutter"]);

function Stability({ app, range }: { app: App; range: Range }) {
  const query = { appKey: app.appKey, start: range.start, end: range.end };
  const found = useQuery(JSON.stringify(["stability", query]), (signal) => take(api.GET("/api/sessions/totals", { params: { query }, signal })), 2 * REFRESH_MS);
  if (!found.data?.sessions && !RECORDED.has(app.type)) return null;
  return (
    <Card title={t("crashFree")} aside={<a class="small" href={paths.app(app.id, "sessions")}>{t("allSessions")}</a>}>
      <Loaded from={found} bones={2} height={40}>
        {({ sessions, crashedSessions }) =>
          sessions === 0 ? (
            <Empty title={t("noSessionsInRange")} />
          ) : (
            <div class="stack tight">
              <span class="value">{percent(1 - crashedSessions / sessions, 2)}</span>
              <span class="soft small">{t("crashFreeOf", { crashed: count(crashedSessions), sessions: count(sessions) })}</span>
              <div class="rating" role="img" aria-label={t("crashFree")}>
                <i class="good" style={{ width: `${100 - (100 * crashedSessions) / sessions}%` }} />
                <i class="bad" style={{ width: `${(100 * crashedSessions) / sessions}%` }} />
              </div>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}
