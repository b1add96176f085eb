// Every story on one running village, one after the other; the first that fails ends it.
//   DASHBOARD=http://.. PHONES=http://.. node e2e/all.mjs
for (const story of ["trade", "first-load", "offline", "everywhere", "pin", "operator"]) {
  console.log(`==> ${story}`);
  await import(`./${story}.mjs`);
}
