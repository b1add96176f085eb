/**
 * Every screen but the first as a file of its own, loaded when it is opened, when the
 * page begins at its address, or by the service worker when the page is idle.
 */
import { type ComponentType, lazy } from "react";

const mark = "jirani.reloaded";

/** After a deployment an open page asks for files that are gone: the new page knows the new ones. */
async function once<T>(file: Promise<T>): Promise<T> {
  try {
    const loaded = await file;
    sessionStorage.removeItem(mark);
    return loaded;
  } catch (error) {
    if (navigator.onLine && sessionStorage.getItem(mark) === null) {
      sessionStorage.setItem(mark, "yes");
      window.location.reload();
      return new Promise(() => {});
    }
    throw error;
  }
}

function screen<P>(file: () => Promise<ComponentType<P>>) {
  return lazy(() => once(file()).then((component) => ({ default: component })));
}

const files = {
  forecast: () => import("../features/forecast/ForecastScreen"),
  market: () => import("../features/market/MarketScreen"),
  rules: () => import("../features/rules/RulesScreen"),
  pay: () => import("../features/market/PaymentScreen"),
  money: () => import("../features/money/MoneyScreen"),
  history: () => import("../features/history/HistoryScreen"),
  proof: () => import("../features/history/ProofScreen"),
  bill: () => import("../features/bill/BillScreen"),
  handset: () => import("../features/handset/HandsetScreen"),
  settings: () => import("../features/settings/SettingsScreen"),
  signin: () => import("../features/signin/SignIn"),
};

export const ForecastScreen = screen(() => files.forecast().then((file) => file.ForecastScreen));
export const MarketScreen = screen(() => files.market().then((file) => file.MarketScreen));
export const RulesScreen = screen(() => files.rules().then((file) => file.RulesScreen));
export const PaymentScreen = screen(() => files.pay().then((file) => file.PaymentScreen));
export const MoneyScreen = screen(() => files.money().then((file) => file.MoneyScreen));
export const HistoryScreen = screen(() => files.history().then((file) => file.HistoryScreen));
export const BillScreen = screen(() => files.bill().then((file) => file.BillScreen));
export const ProofScreen = screen(() => files.proof().then((file) => file.ProofScreen));
export const HandsetScreen = screen(() => files.handset().then((file) => file.HandsetScreen));
export const SettingsScreen = screen(() => files.settings().then((file) => file.SettingsScreen));
export const SignIn = screen(() => files.signin().then((file) => file.SignIn));

/** Begins to load the screen at this address, if it is one of these. */
export function load(path: string): void {
  const name = path.split("/")[1] ?? "";
  if (Object.hasOwn(files, name)) files[name as keyof typeof files]().catch(() => {});
}
