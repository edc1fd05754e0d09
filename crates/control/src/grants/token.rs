//! Leases that prove themselves.
//!
//! The secret part of a signed lease is the time of the grant and a MAC over everything else that a [`Grant`] says. Who
//! shows it is known from its credentials, the rest is in the document; so a lease that nobody remembers is verified
//! from the document alone, and is good only while that is at the revision on which the lease was given.

use hmac::{Hmac, KeyInit, Mac};
use mcpanel_domain::{
    AgentId, SessionId, Timestamp,
    task::{Proof, Task},
};
use mcpanel_store::Grant;
use sha2::Sha256;

/// Bits of the MAC: eighty, as short tags of protocols are that can be tried only by asking. The rest of a nonce is the
/// time in milliseconds, good for eight thousand years.
const MAC_BITS: u32 = 80;

/// The secret part of a lease on a document.
pub fn sign(
    key: &[u8; 32],
    document: &Task,
    agent: &AgentId,
    session: &SessionId,
    at: Timestamp,
) -> u128 {
    let ms = u128::try_from(at.as_ms()).unwrap_or(0) & ((1 << (128 - MAC_BITS)) - 1);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    // No id holds a zero byte, so parts cannot run into each other.
    for part in [
        document.namespace.as_str(),
        document.id.as_str(),
        agent.as_str(),
        session.as_str(),
    ] {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    mac.update(&document.revision.to_be_bytes());
    mac.update(&(document.attempt + 1).to_be_bytes());
    mac.update(&ms.to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let tag = tag
        .iter()
        .take(MAC_BITS as usize / 8)
        .fold(0_u128, |tag, byte| (tag << 8) | u128::from(*byte));
    (ms << MAC_BITS) | tag
}

/// The grant that a lease proves, if it was given to this session on the document as it is.
pub(super) fn verify(
    key: &[u8; 32],
    document: &Task,
    agent: &AgentId,
    session: &SessionId,
    proof: Proof,
) -> Option<Grant> {
    if proof.attempt != document.attempt + 1 {
        return None;
    }
    let ms = i64::try_from(proof.nonce >> MAC_BITS).expect("48 bits fit into 63");
    let granted_at = Timestamp::from_ms(ms);
    // Eighty bits that are tried over a network: how long a comparison takes tells nothing.
    (sign(key, document, agent, session, granted_at) == proof.nonce).then(|| Grant {
        task_id: document.id.clone(),
        revision: document.revision,
        attempt: proof.attempt,
        nonce: proof.nonce,
        agent_id: agent.clone(),
        session: session.clone(),
        granted_at,
    })
}

/// Whether a grant was signed as it is. Where grants are remembered others may write, and what they made up is
/// nothing.
pub(super) fn is_genuine(key: &[u8; 32], document: &Task, grant: &Grant) -> bool {
    let proof = Proof {
        attempt: grant.attempt,
        nonce: grant.nonce,
    };
    verify(key, document, &grant.agent_id, &grant.session, proof).as_ref() == Some(grant)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mcpanel_domain::{Namespace, TaskId, task::NewTask};

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn document() -> Task {
        let new = NewTask::of_type(TaskId::parse("t").unwrap(), "work".parse().unwrap());
        let at = Timestamp::from_ms(1_700_000_000_000);
        let made = new.create(&Namespace::default_namespace(), &Arc::from("tester"), at);
        made.task.unwrap()
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    #[test]
    fn a_signed_lease_tells_what_was_granted() {
        let (task, at) = (document(), Timestamp::from_ms(1_700_000_000_123));
        let nonce = sign(&KEY, &task, &id("ada"), &id("sess_1"), at);
        let proof = Proof { attempt: 1, nonce };
        let grant = verify(&KEY, &task, &id("ada"), &id("sess_1"), proof).unwrap();
        assert_eq!(grant.granted_at, at);
        assert!(grant.holds(&task));
        assert!(is_genuine(&KEY, &task, &grant));
    }

    #[test]
    fn what_somebody_made_up_is_not_genuine() {
        let (task, at) = (document(), Timestamp::from_ms(1_700_000_000_123));
        let nonce = sign(&KEY, &task, &id("ada"), &id("sess_1"), at);
        let proof = Proof { attempt: 1, nonce };
        let grant = verify(&KEY, &task, &id("ada"), &id("sess_1"), proof).unwrap();
        let made_up = [
            Grant {
                agent_id: id("bob"),
                ..grant.clone()
            },
            Grant {
                session: id("sess_2"),
                ..grant.clone()
            },
            Grant {
                granted_at: at.plus_ms(1),
                ..grant.clone()
            },
            Grant {
                nonce: nonce ^ 1,
                ..grant.clone()
            },
        ];
        for each in made_up {
            assert!(!is_genuine(&KEY, &task, &each), "{each:?}");
        }
        let moved_on = Task {
            revision: 2,
            ..task.clone()
        };
        assert!(!is_genuine(&KEY, &moved_on, &grant));
    }

    #[test]
    fn a_lease_is_nobody_elses_and_of_no_other_time() {
        let (task, at) = (document(), Timestamp::from_ms(1_700_000_000_123));
        let (ada, session) = (id("ada"), id("sess_1"));
        let nonce = sign(&KEY, &task, &ada, &session, at);
        let proof = Proof { attempt: 1, nonce };
        let refused = |key: &[u8; 32], task: &Task, agent: &str, session: &str, proof| {
            assert_eq!(verify(key, task, &id(agent), &id(session), proof), None);
        };
        refused(&[8; 32], &task, "ada", "sess_1", proof);
        refused(&KEY, &task, "bob", "sess_1", proof);
        refused(&KEY, &task, "ada", "sess_2", proof);
        let moved_on = Task {
            revision: 2,
            ..task.clone()
        };
        refused(&KEY, &moved_on, "ada", "sess_1", proof);
        let other = Task {
            id: id("u"),
            ..task.clone()
        };
        refused(&KEY, &other, "ada", "sess_1", proof);
        for bit in [0, 79, 80, 127] {
            let nonce = nonce ^ (1 << bit);
            refused(&KEY, &task, "ada", "sess_1", Proof { nonce, ..proof });
        }
        refused(
            &KEY,
            &task,
            "ada",
            "sess_1",
            Proof {
                attempt: 2,
                ..proof
            },
        );
    }
}
