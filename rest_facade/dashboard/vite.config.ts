// Builds the dashboard into dist/, which is committed: the same sources give the same bytes.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
  },
  server: { proxy: { "/api": "http://127.0.0.1:3100", "/v1": "http://127.0.0.1:3100" } },
});
