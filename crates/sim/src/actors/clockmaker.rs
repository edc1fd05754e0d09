//! Sets the server's clock forwards and backwards.

use crate::world::World;

/// Until the calm.
pub async fn live(world: World) {
    // In some runs clocks are good.
    if world.draw(|random| random.chance(40)) {
        return;
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
