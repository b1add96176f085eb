import { useTexts } from "../../i18n";

const en = {
  title: "How your meter begins",
  steps: [
    "The operator puts it up and claims it for your household.",
    "It proves that it is the one: this takes a few minutes with a network.",
    "A second operator approves it.",
    "Its first values stand here within half an hour. Ask the operator if they do not.",
  ],
};

const sw: typeof en = {
  title: "Jinsi mita yako inavyoanza",
  steps: [
    "Mwendeshaji anaifunga na kuisajili kwa nyumba yako.",
    "Inathibitisha kuwa ndiyo yenyewe: dakika chache ikiwa na mtandao.",
    "Mwendeshaji wa pili anaikubali.",
    "Taarifa za kwanza zinaonekana hapa ndani ya nusu saa. Zisipokuja, muulize mwendeshaji.",
  ],
};

/** What happens until a new meter is heard, instead of a day of noughts. */
export default function FirstSteps() {
  const texts = useTexts({ en, sw });
  return (
    <>
      <h2 className="mt-4 mb-1 font-semibold">{texts.title}</h2>
      <ol className="list-decimal space-y-1 pl-6">
        {texts.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </>
  );
}
