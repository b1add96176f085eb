/** Whether amounts are hidden on this phone, which others may look at: one choice for every screen. */
import { useState } from "react";

const place = "jirani.hidden";

export function useHidden(): { hidden: "yes" | "no"; toggle: () => void } {
  const [hidden, setHidden] = useState<"yes" | "no">(() =>
    localStorage.getItem(place) === "yes" ? "yes" : "no",
  );
  const toggle = () => {
    const next = hidden === "yes" ? "no" : "yes";
    localStorage.setItem(place, next);
    setHidden(next);
  };
  return { hidden, toggle };
}
