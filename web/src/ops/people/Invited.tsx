import { Button, Card } from "../../components/basics";
import { formatMoment } from "../../domain/time";
import type { Invitation } from "../../lib/accounts";

/** An invitation, which no page shows a second time. */
export function Invited({ invitation, onSeen }: { invitation: Invitation; onSeen: () => void }) {
  return (
    <Card title={`The invitation of ${invitation.name}`}>
      <p role="status">
        Shown once. Give it to {invitation.name} and to nobody else, in person if you can: with the name it
        opens the account. Good until {formatMoment(invitation.until)}.
      </p>
      <p className="my-2 break-all font-mono text-lg" data-testid="invitation">
        {invitation.secret}
      </p>
      <p className="mb-2">
        They open {window.location.origin}/ops, choose “I have an invitation”, and set their password and
        authenticator.
      </p>
      <Button look="quiet" onClick={onSeen}>
        I have passed it on
      </Button>
    </Card>
  );
}
