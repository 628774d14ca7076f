/** Tell the size of an element in CSS pixels, and the device pixels in one, now and whenever they change. */
export function watchSize(element: HTMLElement, tell: (width: number, height: number, ratio: number) => void): () => void {
  const measure = () => tell(element.clientWidth, element.clientHeight, window.devicePixelRatio);
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  let query: MediaQueryList;
  const watchRatio = () => {
    measure();
    query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener("change", watchRatio, { once: true });
  };
  watchRatio();
  return () => {
    observer.disconnect();
    query.removeEventListener("change", watchRatio);
  };
}
