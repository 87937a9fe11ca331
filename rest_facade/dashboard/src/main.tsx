// Starts the dashboard.
import "./style/base.css";
import "./style/shell.css";
import { render } from "preact";
import { startLanguage } from "./i18n";
import { startRouter } from "./router";
import { Shell } from "./shell";
import { startTheme } from "./theme";

startTheme();
startRouter();
await startLanguage();
render(<Shell />, document.getElementById("app")!);
