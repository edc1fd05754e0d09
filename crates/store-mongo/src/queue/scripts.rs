//! The scripts, each the shared part and what it does.

use crate::link::Script;

const SHARED: &str = include_str!("lua/queue.lua");

pub(super) struct Scripts {
    pub(super) apply: Script,
    pub(super) take: Script,
    pub(super) give_back: Script,
    pub(super) grant: Script,
    pub(super) grants: Script,
    pub(super) void: Script,
    pub(super) forget: Script,
    pub(super) promote: Script,
    pub(super) ahead: Script,
    pub(super) rooms: Script,
    pub(super) epoch: Script,
    pub(super) wipe: Script,
    pub(super) moves: Script,
    pub(super) moved: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let of = |own| Script::of(&[SHARED, own]);
        Self {
            apply: of(include_str!("lua/apply.lua")),
            take: of(include_str!("lua/take.lua")),
            give_back: of(include_str!("lua/give_back.lua")),
            grant: of(include_str!("lua/grant.lua")),
            grants: of(include_str!("lua/grants.lua")),
            void: of(include_str!("lua/void.lua")),
            forget: of(include_str!("lua/forget.lua")),
            promote: of(include_str!("lua/promote.lua")),
            ahead: of(include_str!("lua/ahead.lua")),
            rooms: of(include_str!("lua/rooms.lua")),
            epoch: of(include_str!("lua/epoch.lua")),
            wipe: of(include_str!("lua/wipe.lua")),
            moves: of(include_str!("lua/moves.lua")),
            moved: of(include_str!("lua/moved.lua")),
        }
    }
}
