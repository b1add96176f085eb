import { Card } from "../../components/basics";
import { MonthDownload } from "../../components/MonthDownload";
import { useLanguage } from "../../i18n";

/** The household's statement of a month, in the language of the screen. */
export function StatementCard() {
  const { language, messages } = useLanguage();
  const href = (month: string, format: string) =>
    `/api/v1/me/statement?period=${month}&format=${format}&language=${language}`;
  return (
    <Card title={messages.statement.title}>
      <MonthDownload
        id="statement-month"
        label={messages.statement.month}
        documents={(month) => [
          { text: messages.statement.pdf, href: href(month, "pdf") },
          { text: messages.statement.csv, href: href(month, "csv") },
        ]}
      />
      <p className="mt-2 text-sm text-stone-600 dark:text-stone-400">{messages.statement.hint}</p>
    </Card>
  );
}
