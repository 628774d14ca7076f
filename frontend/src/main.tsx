import { createRoot } from "react-dom/client";
import { readPageAnswers } from "./api/pageAnswers";
import { App } from "./app/App";
import { loadPage } from "./app/pages";
import { matchPage } from "./app/router";
import "./styles/tokens.css";
import "./styles/base.css";

readPageAnswers();
const root = document.getElementById("root");
if (!root) throw new Error("index.html must hold an element with the id root");
const start = () => createRoot(root).render(<App />);
// The page's code comes beside this script, so one drawing shows it; where it does not come, the page says so.
loadPage(matchPage(window.location.pathname).name).then(start, start);
