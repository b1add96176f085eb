/** A household's page asks for the PIN in a dialog, whose file comes when it is needed. */
import { askPinWith } from "../lib/pin";

askPinWith((from) => import("../features/pin/ask").then(({ ask }) => ask(from)));
