// A trend in the space of a word.
import { count } from "../format";
import { t } from "../i18n";

export function Spark({ values, failures }: { values: readonly number[]; failures?: readonly number[] }) {
  const most = Math.max(1, ...values);
  const width = 100 / Math.max(1, values.length);
  const bar = (value: number, at: number, tone: string) =>
    value > 0 && (
      <rect
        class={tone}
        key={`${tone}${at}`}
        x={at * width}
        width={width * 0.8}
        y={30 - Math.max(1.5, (value / most) * 30)}
        height={Math.max(1.5, (value / most) * 30)}
      />
    );
  const total = values.reduce((sum, value) => sum + value, 0);
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={t("trendOf", { total: count(total), most: count(most) })}>
      {values.map((value, at) => bar(value, at, ""))}
      {failures?.map((value, at) => bar(value, at, "bad"))}
    </svg>
  );
}
