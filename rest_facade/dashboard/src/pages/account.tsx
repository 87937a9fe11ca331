// The caller's own account.
import { api, take } from "../api/client";
import { t } from "../i18n";
import { session, signOut } from "../session";
import { useStore } from "../store";
import { useAction } from "../ui/action";
import { Card, useTitle } from "../ui/basics";

export function AccountPage() {
  useTitle(t("account"));
  const user = useStore(session);
  const { busy, run } = useAction();
  const leave = () =>
    run(async () => {
      await take(api.POST("/api/auth/logout"));
      signOut();
    });
  return (
    <div class="stack" style={{ maxWidth: "640px" }}>
      <h1>{t("account")}</h1>
      <Card>
        <div class="row apart">
          <span>{user?.email}</span>
          <button class="button" type="button" disabled={busy} onClick={() => void leave()}>
            {t("signOut")}
          </button>
        </div>
      </Card>
      <p class="soft small">
        <a href="/docs">{t("apiDocs")}</a>
      </p>
    </div>
  );
}
