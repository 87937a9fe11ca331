// The issues of an app: found by filter and text, sorted, paged, and changed several at a time.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, take, type App, type Issue, type Schemas } from "../api/client";
import { count, short } from "../format";
import { t } from "../i18n";
import { useQuery } from "../query";
import { go, paths, usePlace, withQuery } from "../router";
import { useAction } from "../ui/action";
import { Ago, Card, Empty, Loaded, Select, say, told, useTitle } from "../ui/basics";
import { change, FilterBar, RangeSelect, Search, useFilter, useRange } from "../ui/filters";
import { archive, AskRelease, markFixed, mayChange, merge, reopen, StatusBadge, TypeBadge } from "../ui/issue_bits";
import { useKeys } from "../ui/keys";
import { Spark } from "../ui/spark";

const USUAL = "14d";
const PAGE = 25;
const REFRESH_MS = 5_000;
const ORDERS = ["last_seen", "first_seen", "events", "users"] as const;
const STATUSES = ["open", "archived", "all"] as const;

const oneOf = <T extends string>(values: readonly T[], value: string | null): T => values.find((one) => one === value) ?? values[0]!;

export function IssuesPage({ app }: { app: App }) {
  useTitle(t("issues"), app.name);
  const { query: asked } = usePlace();
  const range = useRange(USUAL);
  const filter = useFilter();
  const status = oneOf(STATUSES, asked.get("status"));
  const orderBy = oneOf(ORDERS, asked.get("order"));
  const query = {
    appKey: app.appKey,
    ...filter,
    status,
    orderBy,
    q: asked.get("q") ?? undefined,
    start: range.start,
    end: range.end,
    bucket: range.bucket,
    pageSize: PAGE,
    pageToken: asked.get("page") ?? undefined,
  };
  const found = useQuery(JSON.stringify(query), (signal) => take(api.GET("/api/issues", { params: { query }, signal })), REFRESH_MS);
  return (
    <>
      <h1 class="sr">{`${app.name}: ${t("issues")}`}</h1>
      <FilterBar app={app} only={["type", "platform", "release", "environment"]}>
        <Search label={t("searchMessages")} />
        <RangeSelect range={range} usual={USUAL} />
        <Select label={t("status")} value={status} options={STATUSES.map((one) => [one, t(`list.${one}`)] as const)} onChoose={(value) => change({ status: value === "open" ? null : value })} />
        <Select label={t("order")} value={orderBy} options={ORDERS.map((one) => [one, t(`order.${one}`)] as const)} onChoose={(value) => change({ order: value === "last_seen" ? null : value })} />
      </FilterBar>
      <Loaded from={found} bones={8} height={52}>
        {(page) => <List app={app} page={page} changed={found.reload} filtered={asked.size > 0} />}
      </Loaded>
    </>
  );
}

interface ListProps {
  app: App;
  page: Schemas["IssueList"];
  changed: () => void;
  filtered: boolean;
}

function List({ app, page, changed, filtered }: ListProps) {
  const { issues } = page;
  const [here, setHere] = useState<string | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const body = useRef<HTMLTableSectionElement>(null);
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const step = (by: number) => {
    const at = issues.findIndex((issue) => issue.id === here);
    const next = issues[Math.min(issues.length - 1, Math.max(0, at + by))];
    if (next) setHere(next.id);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    x: () => here !== null && toggle(here),
    Enter: () => here !== null && go(paths.issue(app.id, here)),
    "/": () => document.getElementById("search-q")?.focus(),
  });
  useEffect(() => body.current?.querySelector(".here")?.scrollIntoView({ block: "nearest" }), [here]);

  if (issues.length === 0) {
    return (
      <Card>
        <Empty title={t(filtered ? "noIssuesFound" : "noIssues")}>
          <p>{t(filtered ? "noIssuesFoundWhy" : "noIssuesWhy")}</p>
          {filtered && (
            <a class="button" href={paths.app(app.id, "issues")}>
              {t("clearFilters")}
            </a>
          )}
        </Empty>
      </Card>
    );
  }
  const selected = issues.filter((issue) => chosen.has(issue.id));
  return (
    <div class="stack">
      <Card flush>
        <div class="scroll-x">
          <table class="issues">
            <thead>
              <tr>
                {mayChange(app) && (
                  <th scope="col">
                    <input
                      type="checkbox"
                      aria-label={t("selectAll")}
                      checked={selected.length === issues.length}
                      onChange={() => setChosen(selected.length === issues.length ? new Set() : new Set(issues.map((issue) => issue.id)))}
                    />
                  </th>
                )}
                <th scope="col">{t("issue")}</th>
                <th scope="col" class="wide">{t("trend")}</th>
                <th scope="col" class="num">{t("events")}</th>
                <th scope="col" class="num wide">{t("users")}</th>
                <th scope="col">{t("lastSeen")}</th>
                <th scope="col" class="wide">{t("firstSeen")}</th>
                <th scope="col" class="wide">{t("release")}</th>
              </tr>
            </thead>
            <tbody ref={body}>
              {issues.map((issue, at) => (
                <tr key={issue.id} class={issue.id === here ? "here" : ""}>
                  {mayChange(app) && (
                    <td>
                      <input type="checkbox" aria-label={t("selectIssue", { name: issue.message })} checked={chosen.has(issue.id)} onChange={() => toggle(issue.id)} />
                    </td>
                  )}
                  <td class="what">
                    <a class="message clip" href={paths.issue(app.id, issue.id)} title={issue.message.slice(0, 500)}>
                      {issue.message.slice(0, 300) || t("noMessage")}
                    </a>
                    <span class="row" style={{ flexWrap: "nowrap", overflow: "hidden", gap: "4px" }}>
                      <TypeBadge issue={issue} />
                      <StatusBadge issue={issue} brief />
                      <span class="soft small clip">{Object.keys(issue.platformDistribution).join(", ")}</span>
                    </span>
                  </td>
                  <td class="wide">
                    <Spark values={page.trends?.[at]?.eventCounts ?? []} />
                  </td>
                  <td class="num" title={count(issue.eventCount)}>{short(issue.eventCount)}</td>
                  <td class="num wide" title={count(issue.affectedUsers)}>{short(issue.affectedUsers)}</td>
                  <td><Ago at={issue.lastSeenAt} /></td>
                  <td class="wide"><Ago at={issue.firstSeenAt} /></td>
                  <td class="wide clip" style={{ maxWidth: "140px" }} title={issue.lastSeenRelease ?? undefined}>{issue.lastSeenRelease ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <div class="row apart">
        <span class="soft small">{t("keysHint")}</span>
        <Pager next={page.nextPageToken} />
      </div>
      {selected.length > 0 && <Bulk issues={selected} done={() => { setChosen(new Set()); changed(); }} />}
    </div>
  );
}

function Pager({ next }: { next: string | undefined }) {
  const paged = usePlace().query.has("page");
  return (
    <nav class="row" aria-label={t("pages")}>
      {paged && (
        <a class="button" href={withQuery({ page: null })}>
          {t("firstPage")}
        </a>
      )}
      {next && (
        <a class="button" href={withQuery({ page: next })}>
          {t("nextPage")}
        </a>
      )}
    </nav>
  );
}

function Bulk({ issues, done }: { issues: readonly Issue[]; done: () => void }) {
  const [asking, setAsking] = useState(false);
  const { busy, run } = useAction();

  // One after the other: the first refusal must not hide what was done before it.
  const each = async (change: (issue: Issue) => Promise<unknown>) => {
    const refused: string[] = [];
    for (const issue of issues) {
      await change(issue).catch((error: unknown) => refused.push(told(error)));
    }
    say(refused.length === 0 ? t("doneForAll", { n: issues.length }) : t("doneForSome", { n: issues.length - refused.length, refused: refused.length, why: refused[0]! }));
    done();
  };
  const [target, ...others] = [...issues].sort((one, other) => other.eventCount - one.eventCount);
  return (
    <div class="card bulk" role="group" aria-label={t("selected", { n: issues.length })}>
      <strong>{t("selected", { n: issues.length })}</strong>
      <button class="button" type="button" disabled={busy} onClick={() => setAsking(true)}>
        {t("markFixed")}
      </button>
      <button class="button" type="button" disabled={busy} onClick={() => void run(() => each(archive))}>
        {t("archive")}
      </button>
      <button class="button" type="button" disabled={busy} onClick={() => void run(() => each(reopen))}>
        {t("reopen")}
      </button>
      <button
        class="button"
        type="button"
        disabled={busy || others.length === 0}
        title={t("mergeHint")}
        onClick={() =>
          void run(async () => {
            await merge(target!, others);
            say(t("merged"));
            done();
          })
        }
      >
        {t("merge")}
      </button>
      {asking && (
        <AskRelease
          title={t("markFixed")}
          hint={t("fixedHint")}
          usual=""
          onClose={() => setAsking(false)}
          onRelease={(release) => each((issue) => markFixed(issue, release))}
        />
      )}
    </div>
  );
}
