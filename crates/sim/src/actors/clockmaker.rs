//! Sets the servers' clocks forwards and backwards, and apart where there are several.

use crate::world::World;

/// Furthest that a server's clock is wrong by itself, in milliseconds.
const APART_MS_MAX: u64 = 60_000;

/// Until the calm.
pub async fn live(world: World) {
    // In some runs clocks are good.
    if world.draw(|random| random.chance(40)) {
        return;
    }
    if world.servers() > 1 {
        let apart = world.draw(|random| {
            let most = *random.pick(&[0, 500, 10_000, APART_MS_MAX]).unwrap_or(&0);
            (0..world.servers())
                .map(|_| random.within(0..=2 * most) as i64 - most as i64)
                .collect()
        });
        world.shared().clock.set_apart(apart);
    }
    loop {
        let pause = world.draw(|random| random.within(500..=40_000));
        world.sleep(pause).await;
        if world.is_calm() {
            return;
        }
        let ms = world.draw(|random| {
            let most = *random.pick(&[50, 2_000, 40_000, 300_000]).unwrap_or(&50);
            let far = random.within(1..=most) as i64;
            if random.chance(50) { far } else { -far }
        });
        world.shared().clock.jump(ms);
        world
            .shared()
            .trace(|| format!("the clock jumps by {ms} ms"));
    }
}
