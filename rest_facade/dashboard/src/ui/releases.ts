// Where in a chart the releases of an app came out.
import { api, take, type App } from "../api/client";
import { DAY, HOUR } from "../format";
import { useQuery } from "../query";
import type { Mark } from "./chart";
import type { Range } from "./filters";

const REFRESH_MS = 60_000;
// More would hide the chart.
const SHOWN = 6;

// What was seen from the beginning of the range on was there before.
export function useReleaseMarks(app: App, range: Range): Mark[] {
  const query = { appKey: app.appKey, start: range.start, end: range.end };
  const found = useQuery(
    JSON.stringify(["releases", query]),
    async (signal) => (await take(api.GET("/api/releases", { params: { query }, signal }))).releases,
    REFRESH_MS,
  );
  const since = range.start + (range.bucket === "day" ? DAY : HOUR);
  return [...(found.data ?? [])]
    .filter((release) => release.firstSeenAt >= since)
    .sort((one, other) => other.events - one.events)
    .slice(0, SHOWN)
    .sort((one, other) => one.firstSeenAt - other.firstSeenAt)
    .map((release) => ({ at: release.firstSeenAt, name: release.name }));
}
