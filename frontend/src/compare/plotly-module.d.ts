/** The part of plotly that the comparison uses. */
declare module "plotly.js-basic-dist-min" {
  export interface Plotly {
    react: (element: HTMLElement, data: object[], layout: object, config: object) => Promise<unknown>;
    purge: (element: HTMLElement) => void;
  }
  const plotly: Plotly;
  export default plotly;
}
