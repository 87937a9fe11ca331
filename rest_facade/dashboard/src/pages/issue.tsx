// One issue: how often and where it happens, its events one by one, its life, and why its events belong together.
import { useState } from "preact/hooks";
import { api, take, type App, type Schemas } from "../api/client";
import { count, DAY, HOUR } from "../format";
import { known, t } from "../i18n";
import { useQuery } from "../query";
import { change, RangeSelect, useRange } from "../ui/filters";
import { here, paths, withQuery } from "../router";
import { useAction } from "../ui/action";
import { Ago, Badge, Card, Copyable, Empty, Loaded, Select, say, useTitle } from "../ui/basics";
import { Chart, type Mark } from "../ui/chart";
import { EventBrowser } from "../ui/event_browser";
import { archive, AskRelease, markFixed, markVerified, mayChange, reopen, StatusBadge, TypeBadge } from "../ui/issue_bits";
import { useReleaseMarks } from "../ui/releases";
import { Thread } from "../ui/thread";

type Detail = Schemas["IssueDetail"];

const USUAL = "14d";
const REFRESH_MS = 5_000;

export function IssuePage({ app, id }: { app: App; id: string }) {
  const range = useRange(USUAL);
  const query = { start: range.start, end: range.end, bucket: range.bucket };
  const found = useQuery(
    JSON.stringify([id, query]),
    (signal) => take(api.GET("/api/issues/{id}", { params: { path: { id }, query }, signal })),
    REFRESH_MS,
  );
  const releases = useReleaseMarks(app, range);
  useTitle(found.data?.issue.message.slice(0, 80) ?? t("issue"), app.name);
  return (
    <>
      <a class="small" href={`${paths.app(app.id, "issues")}`}>
        ← {t("issues")}
      </a>
      <Loaded from={found} bones={8} height={60}>
        {(detail) => (
          <div class="stack">
            <Title app={app} detail={detail} changed={found.reload} />
            <div class="split">
              <div class="stack">
                <Card title={t("eventsOverTime")} aside={<RangeSelect range={range} usual={USUAL} />}>
                  <Chart
                    title={t("eventsOverTime")}
                    times={(detail.buckets ?? []).map((bucket) => bucket.start)}
                    stepMs={range.bucket === "day" ? DAY : HOUR}
                    lines={[
                      { name: t("events"), colour: "info", values: (detail.buckets ?? []).map((bucket) => bucket.events), bars: true },
                      { name: t("affectedUsers"), colour: "violet", values: (detail.buckets ?? []).map((bucket) => bucket.affectedUsers) },
                    ]}
                    marks={[...releases, ...lifeMarks(detail)]}
                    height={160}
                  />
                </Card>
                <EventBrowser app={app} issue={detail.issue} latest={detail.events} />
              </div>
              <div class="stack">
                <Facts app={app} detail={detail} changed={found.reload} />
                <Breakdowns detail={detail} />
                <Thread app={app} issue={detail.issue} />
                <Grouping app={app} detail={detail} changed={found.reload} />
              </div>
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

// When it came back, and when somebody said that it was fixed.
function lifeMarks({ issue }: Detail): Mark[] {
  const marks: Mark[] = [];
  if (issue.regressedAt && issue.regressedInRelease) marks.push({ at: issue.regressedAt, name: `↺ ${issue.regressedInRelease}` });
  if (issue.fixedInRelease && issue.statusChangedAt && issue.status !== "open") marks.push({ at: issue.statusChangedAt, name: `✓ ${issue.fixedInRelease}` });
  return marks;
}

interface Part {
  app: App;
  detail: Detail;
  changed: () => void;
}

function Title({ app, detail, changed }: Part) {
  const { issue } = detail;
  const [asking, setAsking] = useState<"fixed" | "verified" | null>(null);
  const { busy, run } = useAction();
  const act = (work: () => Promise<unknown>) =>
    void run(async () => {
      await work();
      say(t("saved"));
      changed();
    });
  return (
    <div class="title">
      <div class="row">
        <TypeBadge issue={issue} />
        <StatusBadge issue={issue} />
        {issue.mutedUntil !== null && issue.mutedUntil > Date.now() && <Badge>{t("muted")}</Badge>}
      </div>
      <h1>{issue.message || t("noMessage")}</h1>
      {issue.mergedInto && (
        <p class="notice">
          {t("isMerged")} <a href={paths.issue(app.id, issue.mergedInto)}>{t("toItsTarget")}</a>
        </p>
      )}
      {mayChange(app) && !issue.mergedInto && (
        <div class="row" role="group" aria-label={t("actions")}>
          <button class="button main" type="button" disabled={busy} onClick={() => setAsking("fixed")}>
            {t("markFixed")}
          </button>
          <button class="button" type="button" disabled={busy} onClick={() => setAsking("verified")}>
            {t("markVerified")}
          </button>
          <button class="button" type="button" disabled={busy || issue.archived || issue.verifiedInRelease === null} title={issue.verifiedInRelease === null ? t("archiveHint") : undefined} onClick={() => act(() => archive(issue))}>
            {t("archive")}
          </button>
          {issue.status !== "open" && (
            <button class="button" type="button" disabled={busy} onClick={() => act(() => reopen(issue))}>
              {t("reopen")}
            </button>
          )}
        </div>
      )}
      {asking && (
        <AskRelease
          title={t(asking === "fixed" ? "markFixed" : "markVerified")}
          hint={t(asking === "fixed" ? "fixedHint" : "verifiedHint")}
          usual={(asking === "fixed" ? issue.fixedInRelease : issue.fixedInRelease ?? issue.lastSeenRelease) ?? ""}
          onClose={() => setAsking(null)}
          onRelease={async (release) => {
            await (asking === "fixed" ? markFixed : markVerified)(issue, release);
            changed();
          }}
        />
      )}
    </div>
  );
}

function Facts({ app, detail: { issue }, changed }: Part) {
  const members = useQuery(`members ${app.id}`, async (signal) => (await take(api.GET("/api/apps/{appId}/members", { params: { path: { appId: app.id } }, signal }))).members);
  const { run } = useAction();
  const update = (body: Schemas["IssueUpdate"]) =>
    void run(async () => {
      await take(api.PATCH("/api/issues/{id}", { params: { path: { id: issue.id } }, body }));
      say(t("saved"));
      changed();
    });
  const muted = issue.mutedUntil !== null && issue.mutedUntil > Date.now();
  return (
    <Card title={t("facts")}>
      <div class="stack">
        <dl class="stack tight">
          <Fact name={t("events")}>{count(issue.eventCount)}</Fact>
          <Fact name={t("affectedUsers")}>{count(issue.affectedUsers)}</Fact>
          <Fact name={t("firstSeen")}>
            <Ago at={issue.firstSeenAt} /> {issue.firstSeenRelease && <Badge>{issue.firstSeenRelease}</Badge>}
          </Fact>
          <Fact name={t("lastSeen")}>
            <Ago at={issue.lastSeenAt} /> {issue.lastSeenRelease && <Badge>{issue.lastSeenRelease}</Badge>}
          </Fact>
          {issue.fixedInRelease && <Fact name={t("fixedIn")}><Badge tone="info">{issue.fixedInRelease}</Badge></Fact>}
          {issue.verifiedInRelease && <Fact name={t("verifiedIn")}><Badge tone="good">{issue.verifiedInRelease}</Badge></Fact>}
          {issue.regressed && (
            <Fact name={t("regressed")}>
              <Ago at={issue.regressedAt} /> {issue.regressedInRelease && <Badge tone="bad">{issue.regressedInRelease}</Badge>}
            </Fact>
          )}
        </dl>
        {mayChange(app) && !issue.mergedInto && (
          <>
            <Select
              label={t("assignee")}
              value={issue.assignee ?? ""}
              options={[["", t("nobody")], ...(members.data ?? []).map((member) => [member.userId, member.email] as const)]}
              onChoose={(value) => update(value ? { assignee: value } : { updateMask: "assignee" })}
            />
            <button class="button" type="button" onClick={() => update(muted ? { updateMask: "mutedUntil" } : { mutedUntil: Date.now() + 7 * DAY })}>
              {t(muted ? "unmute" : "muteForAWeek")}
            </button>
          </>
        )}
      </div>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div class="row apart">
      <dt class="soft">{name}</dt>
      <dd class="row">{children}</dd>
    </div>
  );
}

const TOP = 5;

function Breakdowns({ detail: { breakdowns = [], issue } }: { detail: Detail }) {
  const filled = breakdowns.filter((one) => one.values.length > 0);
  return (
    <Card title={t("breakdown")}>
      {filled.length === 0 ? (
        <Empty title={t("nothingToBreakDown")} />
      ) : (
        <div class="stack tight">
          {filled.map((one) => (
            <details open key={one.property}>
              <summary class="small">{known(one.property, one.property)}</summary>
              <Shares values={one.values.slice(0, TOP)} of={issue.eventCount} />
              {one.values.length > TOP && (
                <details>
                  <summary class="small soft">{t("more", { n: one.values.length - TOP })}</summary>
                  <Shares values={one.values.slice(TOP)} of={issue.eventCount} />
                </details>
              )}
            </details>
          ))}
        </div>
      )}
    </Card>
  );
}

function Shares({ values, of }: { values: readonly Schemas["BreakdownValue"][]; of: number }) {
  return (
    <ul>
      {values.map((one) => (
        <li class="share small" key={one.value}>
          <i style={{ width: `${(100 * one.eventCount) / Math.max(1, of)}%` }} />
          <span>
            <span class="clip" title={one.value}>{one.value}</span>
            <span>{count(one.eventCount)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Grouping({ app, detail: { issue }, changed }: Part) {
  const open = here().query.has("grouping");
  const { busy, run } = useAction();
  const unmerge = (id: string) =>
    void run(async () => {
      await take(api.POST("/api/issues/{id}/unmerge", { params: { path: { id } } }));
      say(t("unmerged"));
      changed();
    });
  const own = issue.mergedInto ? [issue.id] : issue.mergedIds;
  return (
    <Card title={t("grouping")}>
      <div class="stack tight">
        {own.length > 0 && (
          <ul class="stack tight">
            {own.map((id) => (
              <li class="row apart small" key={id}>
                <a class="mono clip grow" href={paths.issue(app.id, id)}>{id.slice(app.appKey.length + 1)}</a>
                {mayChange(app) && (
                  <button class="button" type="button" disabled={busy} onClick={() => unmerge(id)}>
                    {t("unmerge")}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
        <a class="button" href={withQuery({ grouping: open ? null : "1" })} role="button" aria-expanded={open} onClick={(event) => { event.preventDefault(); change({ grouping: open ? null : "1" }); }}>
          {t("whyOneIssue")}
        </a>
        {open && <Explanation id={issue.id} />}
      </div>
    </Card>
  );
}

function inputName(name: string): string {
  const frame = /^frame(\d)$/.exec(name);
  return frame ? t("stackFrame", { n: frame[1]! }) : known(`input.${name}`, name);
}

function Explanation({ id }: { id: string }) {
  const found = useQuery(`grouping ${id}`, (signal) => take(api.GET("/api/issues/{id}/grouping", { params: { path: { id } }, signal })));
  return (
    <Loaded from={found}>
      {(told) => (
        <div class="stack tight small">
          <p>{t(told.version === "sdk" ? "groupedBySdk" : "groupedByUs", { version: told.version })}</p>
          <Copyable text={told.fingerprint} />
          {told.inputs.map((input) => (
            <div key={input.name}>
              <strong>{inputName(input.name)}</strong>
              <div class="mono">{input.normalised}</div>
              {input.masked.length > 0 && <div class="soft">{input.masked.map((part) => `${part.text} → ${part.mask}`).join(", ")}</div>}
            </div>
          ))}
          {told.inputs.length === 0 && <p class="soft">{t("noEventKept")}</p>}
        </div>
      )}
    </Loaded>
  );
}
