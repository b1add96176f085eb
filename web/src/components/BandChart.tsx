import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime } from "../domain/time";
import type { Schemas } from "../lib/api";

type Point = Schemas["ForecastPoint"];

/** Production's 10-90 % and 25-75 % bands with its middle, and the middle of use. In kW. */
export default function BandChart({
  points,
  label,
  production,
  consumption,
}: {
  points: Point[];
  label: string;
  production: string;
  consumption: string;
}) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const kw = (wh: number) => (wh * 4) / 1000;
    const dark = document.documentElement.classList.contains("dark");
    const ink = dark ? "#d6d3d1" : "#44403c";
    const axis = { stroke: ink, grid: { stroke: dark ? "#292524" : "#e7e5e4" } };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: 240,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true } },
        axes: [
          {
            ...axis,
            values: (_, ticks) => ticks.map((tick) => formatTime(new Date(tick * 1000).toISOString())),
          },
          { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} kW`), size: 60 },
        ],
        series: [
          {},
          { stroke: "transparent" },
          { stroke: "transparent" },
          { stroke: dark ? "#facc15" : "#a16207", width: 2, label: production },
          { stroke: "transparent" },
          { stroke: "transparent" },
          { stroke: dark ? "#7dd3fc" : "#0369a1", width: 2, dash: [6, 4], label: consumption },
        ],
        bands: [
          { series: [5, 1], fill: "rgba(250, 204, 21, 0.25)" },
          { series: [4, 2], fill: "rgba(250, 204, 21, 0.45)" },
        ],
      },
      [
        points.map((point) => Date.parse(point.start) / 1000),
        points.map((point) => kw(point.production_wh.p10)),
        points.map((point) => kw(point.production_wh.p25)),
        points.map((point) => kw(point.production_wh.p50)),
        points.map((point) => kw(point.production_wh.p75)),
        points.map((point) => kw(point.production_wh.p90)),
        points.map((point) => kw(point.consumption_wh.p50)),
      ],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 240 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, production, consumption]);
  return (
    <figure>
      <div ref={holder} role="img" aria-label={label} />
      <figcaption className="flex gap-4 text-sm">
        <span>
          <span aria-hidden="true" className="text-sun-700 dark:text-sun-400">
            ━{" "}
          </span>
          {production}
        </span>
        <span>
          <span aria-hidden="true" className="text-sky-700 dark:text-sky-300">
            ┅{" "}
          </span>
          {consumption}
        </span>
      </figcaption>
    </figure>
  );
}
