//! The bots as tokio tasks beside each other, with a clock that moves by itself.

use rebut_challenger::bots::{Bot, BotError, run};
use rebut_contracts::Sent;
use rebut_contracts::types::Outcome;
use rebut_sim::adversary::{Liar, Lie};
use rebut_tests::arena::{Arena, EXECUTOR_BOND, unburnt};
use rebut_tests::models::digits;
use rebut_tests::rules::Ended;
use rebut_tests::side::{LiarBot, watcher};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

const INTERVAL: Duration = Duration::from_millis(3);
/// The whole game, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// The shortest period takes more than ten of these.
const CLOCK_STEP: u64 = 150;

/// One bot's tick: who, how many transactions, and what went wrong.
type Tick = (usize, Result<usize, String>);

/// Runs a bot until it is told to stop; every tick is told to the clock.
fn spawn<B: Bot + 'static>(
    tasks: &mut JoinSet<()>,
    bot: B,
    who: usize,
    stop: watch::Receiver<bool>,
    ticks: mpsc::UnboundedSender<Tick>,
) {
    tasks.spawn(async move {
        let report = move |tick: Result<Vec<Sent>, BotError>| {
            // The clock has ended where nobody listens.
            let _ = ticks.send((who, tick.map(|sent| sent.len()).map_err(|e| e.to_string())));
        };
        run(bot, INTERVAL, stop, report).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_play_by_themselves() {
    timeout(PATIENCE, play()).await.expect("the game ends by itself");
}

async fn play() {
    let subject = digits();
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let (liar, watching, honest) = (arena.client(1), arena.client(2), arena.client(3));
    let accounts = [liar.account, watching.account, honest.account];
    let lie = Lie::Element { value: 13, element: 40 };
    let (liar, _) = Liar::claim(liar, subject.package.clone(), &subject.inputs, lie, 0).await.unwrap();
    let lied = liar.game().claim.clone();
    let mut executor = rebut_challenger::bots::Executor::new(honest, Default::default(), 0);
    let (claim, _) = executor.claim(subject.package.clone(), subject.inputs.clone()).await.unwrap();
    let attacker = arena.client(4);
    let attack = Lie::Element { value: 11, element: 0 };
    let salt = attacker.account.into_word();
    let attacker = Liar::challenge(attacker, claim.clone(), subject.package.clone(), &subject.inputs, attack, salt);
    let (attacker, _) = attacker.await.unwrap();

    let (stop, stopped) = watch::channel(false);
    let (sender, mut ticks) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    let watcher = watcher(watching, &subject);
    spawn(&mut tasks, watcher, 0, stopped.clone(), sender.clone());
    spawn(&mut tasks, LiarBot(liar), 1, stopped.clone(), sender.clone());
    spawn(&mut tasks, executor, 2, stopped.clone(), sender.clone());
    spawn(&mut tasks, LiarBot(attacker), 3, stopped, sender);

    // Time passes when every bot has looked and none had anything to do, so a slow machine makes nobody late.
    let mut idle = [false; 4];
    let mut errors = Vec::new();
    loop {
        let (who, tick) = ticks.recv().await.expect("the bots run");
        match tick {
            Ok(0) => idle[who] = true,
            Ok(_) => idle = [false; 4],
            Err(e) => {
                idle = [false; 4];
                errors.push(e);
            }
        }
        if idle != [true; 4] {
            continue;
        }
        let ended = [arena.status(&lied).await.outcome, arena.status(&claim).await.outcome];
        if ended == [Outcome::RefutedByDispute, Outcome::Final] {
            break;
        }
        arena.time.advance(CLOCK_STEP).await.unwrap();
        idle = [false; 4];
    }
    stop.send(true).unwrap();
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    // Two sides may both see that something is due; the one that comes second is refused, or fails where both were sent before either was
    // mined, and that is all that goes wrong.
    assert!(errors.iter().all(|e| e.contains("refused") || e.contains("failed on-chain")), "{errors:?}");

    let ended = Ended::settle(&arena, &lied).await;
    let [liar, watcher, honest] = accounts.map(|a| ended.money(a));
    assert_eq!(liar, (EXECUTOR_BOND, 0));
    assert_eq!(watcher.1, watcher.0 + unburnt(EXECUTOR_BOND));
    assert!(honest.1 > honest.0);
}
