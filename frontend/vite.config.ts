import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = "http://127.0.0.1:8000"; // `npm run dev` beside `foresync serve --port 8000`

export default defineConfig({
  plugins: [react()],
  base: "/",
  build: {
    outDir: "dist",
    target: "es2022",
    chunkSizeWarningLimit: 1300, // plotly, which is loaded on demand
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: backend, ws: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
