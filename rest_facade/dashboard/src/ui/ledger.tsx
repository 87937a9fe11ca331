// What became of every event that arrived: received = stored + duplicate + rejected + limited.
import { useState } from "preact/hooks";
import { api, take, type App, type Schemas } from "../api/client";
import { count, DAY, HOUR, MINUTE } from "../format";
import { t } from "../i18n";
import { useQuery } from "../query";
import { Card, Empty, Loaded, Select } from "./basics";
import { Chart } from "./chart";

const FATES = ["stored", "duplicate", "rejected", "limited"] as const;
const COLOURS = { stored: "good", duplicate: "info", rejected: "bad", limited: "warn" };
const SPANS: readonly [string, number, number][] = [
  ["1h", HOUR, MINUTE],
  ["24h", DAY, 30 * MINUTE],
  ["7d", 7 * DAY, 6 * HOUR],
];

type Entry = Schemas["LedgerEntry"];

export function Ledger({ app }: { app: App }) {
  const [chosen, setChosen] = useState("1h");
  const [, span, step] = SPANS.find(([name]) => name === chosen)!;
  const found = useQuery(
    JSON.stringify(["ledger", app.appKey, chosen]),
    async (signal) => {
      const end = Date.now();
      const start = Math.floor((end - span) / step + 1) * step;
      const { entries } = await take(api.GET("/api/ledger", { params: { query: { appKey: app.appKey, start, end } }, signal }));
      return summed(entries, start, end, step);
    },
    10_000,
  );
  return (
    <Card title={t("ledger")} aside={<div style={{ minWidth: "130px" }}><Select label={t("timeRange")} value={chosen} options={[["1h", t("range.1h")], ["24h", t("range.24h")], ["7d", t("range.7d")]]} onChoose={setChosen} /></div>}>
      <Loaded from={found} bones={3} height={60}>
        {(books) =>
          books.received === 0 ? (
            <Empty title={t("nothingArrived")} />
          ) : (
            <div class="stack tight">
              <Chart
                title={t("ledger")}
                times={books.times}
                stepMs={step}
                height={160}
                lines={FATES.map((fate) => ({ name: t(`fate.${fate}`), colour: COLOURS[fate], values: books.counts[fate] }))}
              />
              <p class="small">
                {`${t("received")} ${count(books.received)} = ${FATES.map((fate) => `${t(`fate.${fate}`)} ${count(books.totals[fate])}`).join(" + ")}`}
              </p>
              {books.reasons.length > 0 && (
                <table class="facts">
                  <caption class="sr">{t("reasons")}</caption>
                  <tbody>
                    {books.reasons.map(([reason, events]) => (
                      <tr key={reason}>
                        <th scope="row" class="mono">{reason}</th>
                        <td>{count(events)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

type Fate = (typeof FATES)[number];

interface Books {
  times: number[];
  counts: Record<Fate, number[]>;
  totals: Record<Fate, number>;
  received: number;
  reasons: [string, number][];
}

function summed(entries: readonly Entry[], start: number, end: number, step: number): Books {
  const times: number[] = [];
  for (let at = start; at <= end; at += step) times.push(at);
  const zeros = () => times.map(() => 0);
  const counts = { stored: zeros(), duplicate: zeros(), rejected: zeros(), limited: zeros() };
  const totals = { stored: 0, duplicate: 0, rejected: 0, limited: 0 };
  const reasons = new Map<string, number>();
  let received = 0;
  for (const entry of entries) {
    const place = Math.min(times.length - 1, Math.max(0, Math.floor((entry.minute - start) / step)));
    received += entry.received;
    for (const fate of FATES) {
      counts[fate][place]! += entry[fate];
      totals[fate] += entry[fate];
    }
    for (const [reason, events] of Object.entries(entry.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + events);
  }
  return { times, counts, totals, received, reasons: [...reasons].sort((one, other) => other[1] - one[1]) };
}
