// What browsers and apps measured, by percentile.
import { api, take, type App, type Schemas } from "../api/client";
import { count, decimal, millis, percent } from "../format";
import { t } from "../i18n";
import { useQuery } from "../query";
import { Card, Empty, Loaded } from "./basics";
import type { Range } from "./filters";

const REFRESH_MS = 20_000;

// Vitals that are times; all others are shown as the numbers they are.
const TIMES = new Set(["LCP", "FCP", "INP", "FID", "TTFB", "TBT", "TTI"]);

export function Vitals({ app, range, narrowed }: { app: App; range: Range; narrowed: boolean }) {
  const query = { appKey: app.appKey, start: range.start, end: range.end };
  const found = useQuery(
    JSON.stringify(["vitals", query]),
    async (signal) => (await take(api.GET("/api/performance", { params: { query }, signal }))).metrics,
    REFRESH_MS,
  );
  return (
    <Card title={t("performance")} aside={narrowed && <span class="soft small">{t("notFiltered")}</span>} flush>
      <Loaded from={found} bones={3}>
        {(metrics) =>
          metrics.length === 0 ? (
            <Empty title={t("noMeasurements")}>
              <p>{t("noMeasurementsWhy")}</p>
            </Empty>
          ) : (
            <div class="scroll-x" tabIndex={0} role="group" aria-label={t("performance")}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("metric")}</th>
                    <th scope="col" class="num roomy">p50</th>
                    <th scope="col" class="num">p75</th>
                    <th scope="col" class="num">p95</th>
                    <th scope="col">{t("ratings")}</th>
                    <th scope="col" class="num roomy">{t("measurements")}</th>
                  </tr>
                </thead>
                <tbody>
                  {metrics.map((metric) => (
                    <Row metric={metric} key={metric.name} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

function Row({ metric }: { metric: Schemas["Metric"] }) {
  const shown = (value: number) => (TIMES.has(metric.name) ? millis(value) : decimal(value));
  const rated = metric.good + metric.needsImprovement + metric.poor;
  const share = (part: number) => `${(100 * part) / Math.max(1, rated)}%`;
  const text = t("ratedAs", {
    good: percent(metric.good / Math.max(1, rated), 0),
    middling: percent(metric.needsImprovement / Math.max(1, rated), 0),
    poor: percent(metric.poor / Math.max(1, rated), 0),
  });
  return (
    <tr>
      <th scope="row">{metric.name}</th>
      <td class="num roomy">{shown(metric.p50)}</td>
      <td class="num">{shown(metric.p75)}</td>
      <td class="num">{shown(metric.p95)}</td>
      <td>
        {rated > 0 && (
          <div class="rating" role="img" aria-label={text} title={text}>
            <i class="good" style={{ width: share(metric.good) }} />
            <i class="warn" style={{ width: share(metric.needsImprovement) }} />
            <i class="bad" style={{ width: share(metric.poor) }} />
          </div>
        )}
      </td>
      <td class="num roomy">{count(metric.count)}</td>
    </tr>
  );
}
