import { defineConfig } from "vitest/config";

// `npm run dev` beside a server: FORESYNC_URL is the link that `foresync serve` prints.
const link = new URL(process.env["FORESYNC_URL"] ?? "http://127.0.0.1:8000");
const proxy = {
  "/api": {
    target: link.origin,
    changeOrigin: true,
    ws: true,
    headers: { origin: link.origin, authorization: `Bearer ${link.searchParams.get("token") ?? ""}` },
  },
};

export default defineConfig({
  // Preact under React's names: a third of the script, so that a first page is drawn within its 300 ms.
  resolve: { alias: { "react-dom/client": "preact/compat/client", react: "preact/compat" } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false }, // a browser that lacks it only fetches a little later
    cssCodeSplit: false, // one small file for all pages, instead of ten requests before a first page
    rolldownOptions: {
      output: {
        // What several pages share comes in one piece, which is the first script, too (index.html is its entry): a page
        // is then two or three scripts, not twenty.
        codeSplitting: {
          groups: [
            {
              name: "shared",
              test: /index\.html|node_modules[\\/]preact|src[\\/](main|styles|api|app[\\/](?!Palette|commands|fuzzy)|clone|export|form|format|ui|queue|experiments[\\/](draft|SettingsForm|ExperimentList)|history[\\/](links|progress|columns|RunTable))/,
            },
          ],
        },
      },
    },
    manifest: "manifest.json", // from which the server knows what each page will fetch
  },
  server: { host: "127.0.0.1", proxy },
  preview: { host: "127.0.0.1", proxy },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
