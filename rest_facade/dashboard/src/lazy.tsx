// Pages that come when somebody opens them.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "./i18n";
import { Bones, Empty } from "./ui/basics";

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [failed, setFailed] = useState(false);
    const [, setReady] = useState(found !== undefined);
    useEffect(() => {
      if (found) return;
      load().then(
        (component) => {
          found = component;
          setReady(true);
        },
        () => setFailed(true),
      );
    }, []);
    if (found) {
      const Page = found;
      return <Page {...props} />;
    }
    // A new release may have replaced the files this page was built from.
    return failed ? (
      <Empty title={t("couldNotLoad")}>
        <button class="button" type="button" onClick={() => location.reload()}>
          {t("tryAgain")}
        </button>
      </Empty>
    ) : (
      <Bones rows={6} height={40} />
    );
  };
}
