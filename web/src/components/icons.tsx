/** Line drawings for the tabs, in the colour of the text beside them. */
const paths = {
  home: "M3 11 12 4l9 7M6 9.5V20h12V9.5",
  forecast:
    "M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
  market: "M4 8h15m-4-4 4 4-4 4M20 16H5m4-4-4 4 4 4",
  money: "M3 6.5h18v11H3zM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5ZM6 9.5v5M18 9.5v5",
  settings: "M4 7h9m4 0h3M4 17h3m4 0h9M13 4.5v5h4v-5zM7 14.5v5h4v-5z",
  history: "M4 6h16M4 12h16M4 18h10",
} as const;

export type IconName = keyof typeof paths;

/** Always beside its word or on something that is named, so screen readers skip it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      className="h-6 w-6 fill-none stroke-current stroke-2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
