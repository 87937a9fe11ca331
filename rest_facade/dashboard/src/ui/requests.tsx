// The requests of an app's clients by method and path: which are slow, which fail, which are made most.
import { useState } from "preact/hooks";
import { api, take, type App, type Schemas } from "../api/client";
import { count, millis, percent, short } from "../format";
import { t, type Key } from "../i18n";
import { useQuery } from "../query";
import { Card, Empty, Loaded } from "./basics";
import type { Range } from "./filters";

type Kind = Schemas["RequestPerformance"];

const REFRESH_MS = 20_000;
const LISTED = 8;

const ORDERS = {
  slowest: (kind: Kind) => kind.p95 ?? -1,
  failing: (kind: Kind) => kind.failed,
  frequent: (kind: Kind) => kind.count,
};
type Order = keyof typeof ORDERS;

export function Requests({ app, range, narrowed }: { app: App; range: Range; narrowed: boolean }) {
  const [order, setOrder] = useState<Order>("slowest");
  const [all, setAll] = useState(false);
  const query = { appKey: app.appKey, start: range.start, end: range.end };
  const found = useQuery(
    JSON.stringify(["requests", query]),
    async (signal) => (await take(api.GET("/api/performance/requests", { params: { query }, signal }))).requests,
    REFRESH_MS,
  );
  const choose = (
    <>
      {narrowed && <span class="soft small">{t("notFiltered")}</span>}
      <select class="select fit" aria-label={t("order")} value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
      {Object.keys(ORDERS).map((name) => (
        <option value={name} key={name}>
          {t(`requests.${name}` as Key)}
        </option>
      ))}
    </select>
    </>
  );
  return (
    <Card title={t("requests")} aside={choose} flush>
      <Loaded from={found} bones={3} height={44}>
        {(kinds) =>
          kinds.length === 0 ? (
            <Empty title={t("noRequests")}>
              <p>{t("noRequestsWhy")}</p>
            </Empty>
          ) : (
            <>
              <Table kinds={sorted(kinds, order).slice(0, all ? undefined : LISTED)} />
              {kinds.length > LISTED && (
                <button class="button quiet small" type="button" aria-expanded={all} onClick={() => setAll(!all)}>
                  {all ? t("showFewer") : t("showAll", { n: count(kinds.length) })}
                </button>
              )}
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

function sorted(kinds: readonly Kind[], order: Order): Kind[] {
  const by = ORDERS[order];
  return [...kinds].sort((one, other) => by(other) - by(one) || other.count - one.count);
}

function Table({ kinds }: { kinds: readonly Kind[] }) {
  return (
    <table class="requests">
      <thead>
        <tr>
          <th scope="col">{t("request")}</th>
          <th scope="col" class="num">{t("times")}</th>
          <th scope="col" class="num">{t("failedShare")}</th>
          <th scope="col" class="num roomy">p50</th>
          <th scope="col" class="num roomy">p75</th>
          <th scope="col" class="num">p95</th>
        </tr>
      </thead>
      <tbody>
        {kinds.map((kind) => (
          <Row kind={kind} key={`${kind.method} ${kind.path}`} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ kind }: { kind: Kind }) {
  const share = kind.failed / kind.count;
  const told = (ms: number | undefined) => (ms === undefined ? "–" : millis(ms));
  return (
    <tr>
      <th scope="row" title={`${kind.method} ${kind.path}`}>
        <span class="mono soft">{kind.method}</span> <span class="mono">{kind.path}</span>
      </th>
      <td class="num" title={count(kind.count)}>{short(kind.count)}</td>
      <td class={kind.failed > 0 ? "num bad" : "num soft"} title={count(kind.failed)}>
        {percent(share)}
      </td>
      <td class="num roomy">{told(kind.p50)}</td>
      <td class="num roomy">{told(kind.p75)}</td>
      <td class="num">{told(kind.p95)}</td>
    </tr>
  );
}
