//! Memos of a transaction, as `getSignaturesForAddress` shows them.

use solana_address::Address;
use solana_message::VersionedMessage;
use std::fmt::Write as _;

const MEMO_V1: Address = Address::from_str_const("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
const MEMO_V3: Address = Address::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
const MEMO_V4: Address = Address::from_str_const("Memo4c2pN8afCj432Lb7RMVKi9PbQnnW7ewFFaV3oAH");

/// Every memo with its length in front: `[5] hello; [2] hi`.
pub fn of(message: &VersionedMessage) -> Option<String> {
    let keys = message.static_account_keys();
    let is_memo = |index: u8| {
        keys.get(usize::from(index)).is_some_and(|program| [MEMO_V1, MEMO_V3, MEMO_V4].contains(program))
    };
    let mut memos = String::new();
    for instruction in message.instructions() {
        if is_memo(instruction.program_id_index) {
            let separator = if memos.is_empty() { "" } else { "; " };
            let text = std::str::from_utf8(&instruction.data).unwrap_or("(unparseable)");
            // Writing to a text cannot fail.
            let _ = write!(memos, "{separator}[{}] {text}", instruction.data.len());
        }
    }
    (!memos.is_empty()).then_some(memos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_message::Message;
    use solana_message::compiled_instruction::CompiledInstruction;

    #[test]
    fn memos_are_shown_with_their_lengths() {
        let memo =
            |data: &[u8]| CompiledInstruction { program_id_index: 1, accounts: vec![], data: data.to_vec() };
        let message = Message {
            account_keys: vec![Address::default(), MEMO_V3],
            instructions: vec![memo(b"hello"), memo(b"hi")],
            ..Message::default()
        };
        assert_eq!(of(&VersionedMessage::Legacy(message)).as_deref(), Some("[5] hello; [2] hi"));
        assert_eq!(of(&VersionedMessage::Legacy(Message::default())), None);
    }
}
