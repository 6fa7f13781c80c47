use std::{net::IpAddr, time::Duration};

use super::*;
use crate::{
    data::DataFolder,
    store::{Retention, Store},
};

const PASSWORD: &str = "correct horse";

fn client(text: &str) -> ClientPrefix {
    text.parse::<IpAddr>().unwrap().into()
}

fn accounts(store: &Store, data: &DataFolder) -> Accounts {
    Accounts::load(Keeper::new(store.clone(), data.clone())).unwrap()
}

async fn with_ann() -> (tempfile::TempDir, Accounts) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    let accounts = accounts(&Store::none(), &data);
    let now = Instant::now();
    let once = accounts.make_link(now).unwrap();
    accounts.claim(&once, "ann", PASSWORD.to_owned(), now).await.unwrap();
    (folder, accounts)
}

#[tokio::test]
async fn link_makes_one_administrator_once_and_for_an_hour() {
    let (_folder, accounts) = with_ann().await;
    let now = Instant::now();
    let claim = async |once: &str, name: &str, at| {
        accounts.claim(once, name, PASSWORD.to_owned(), at).await.is_ok()
    };
    let earlier = accounts.make_link(now).unwrap();
    let once = accounts.make_link(now).unwrap();
    assert!(!claim(&earlier, "ben", now).await, "a later link replaces it");
    assert!(!claim(&once, "ben", now + LINK_LIFE).await, "it has expired");
    assert!(!claim(&once, "  ", now).await);
    let short = accounts.claim(&once, "ben", "123456789".to_owned(), now).await;
    assert!(matches!(short, Err(ClaimError::Invalid(InvalidAccountError::Password))));
    assert!(claim(&once, " ben ", now).await, "wrong input doesn't use it up");
    assert!(!claim(&once, "eve", now).await, "it is used up");
    let names: Vec<_> = accounts.list().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["ann", "ben"]);
}

#[tokio::test]
async fn link_claimed_twice_at_once_makes_one_administrator() {
    let (_folder, accounts) = with_ann().await;
    let now = Instant::now();
    let once = accounts.make_link(now).unwrap();
    let (one, other) = tokio::join!(
        accounts.claim(&once, "ben", PASSWORD.to_owned(), now),
        accounts.claim(&once, "eve", PASSWORD.to_owned(), now),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
    assert_eq!(accounts.list().len(), 2);
}

#[tokio::test]
async fn new_password_ends_sessions_and_the_old_password() {
    let (_folder, accounts) = with_ann().await;
    let now = Instant::now();
    let session = accounts.open_session("ann").unwrap();
    assert_eq!(accounts.session(&session).as_deref(), Some("ann"));
    let once = accounts.make_link(now).unwrap();
    accounts.claim(&once, "ann", "battery staple".to_owned(), now).await.unwrap();
    assert_eq!(accounts.session(&session), None);
    let home = client("192.0.2.1");
    assert_eq!(accounts.check(home, "ann", PASSWORD.to_owned()).await, Err(SignInError::Wrong));
    assert!(accounts.check(home, " ann", "battery staple".to_owned()).await.is_ok());
}

/// A client that hung up got its attempt back, and the hash that it had begun counted no more.
#[tokio::test]
async fn abandoned_attempts_count_and_keep_their_share_of_hashing() {
    let (_folder, accounts) = with_ann().await;
    let attacker = client("198.51.100.9");
    for _ in 0..10 {
        let mut attempt = Box::pin(accounts.check(attacker, "ann", "wrong password".to_owned()));
        while accounts.hashing.available_permits() == MAX_HASHING {
            tokio::select! {
                biased;
                ended = &mut attempt => panic!("{ended:?} before it hashed"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(attempt);
        let all = u32::try_from(MAX_HASHING).unwrap();
        drop(accounts.hashing.acquire_many(all).await.unwrap());
    }
    let (_guess, delay) = accounts.guesses.take(attacker, Instant::now()).unwrap();
    assert!(!delay.is_zero());
    assert_eq!(accounts.checks.available_permits(), MAX_CHECKS);
}

#[tokio::test]
async fn removed_administrator_returns_by_no_link() {
    let (_folder, accounts) = with_ann().await;
    let now = Instant::now();
    let once = accounts.make_link(now).unwrap();
    assert!(accounts.remove("ann").await.unwrap());
    let claimed = accounts.claim(&once, "ann", PASSWORD.to_owned(), now).await;
    assert!(matches!(claimed, Err(ClaimError::Link)), "{claimed:?}");
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_delay_their_network_alone_and_the_right_one_is_accepted() {
    let (_folder, accounts) = with_ann().await;
    let (attacker, home) = (client("198.51.100.9"), client("192.0.2.1"));
    let attempt = async |from, name: &str, password: &str| {
        let start = Instant::now();
        let result = accounts.check(from, name, password.to_owned()).await;
        (result, start.elapsed())
    };
    let mut delays = Vec::new();
    for n in 0..14 {
        let name = if n % 2 == 0 { "ann" } else { "nobody" };
        let (result, delay) = attempt(attacker, name, "guess number one").await;
        assert_eq!(result, Err(SignInError::Wrong));
        delays.push(delay);
    }
    assert!(delays[..10].iter().all(Duration::is_zero), "{delays:?}");
    assert!(delays[11..].iter().all(|delay| *delay > Duration::from_secs(3)), "{delays:?}");
    let (result, delay) = attempt(home, "ann", PASSWORD).await;
    assert_eq!((result.as_deref(), delay), (Ok("ann"), Duration::ZERO), "others don't wait");
    let (result, delay) = attempt(attacker, "ann", PASSWORD).await;
    assert_eq!(result.as_deref(), Ok("ann"), "the right password is accepted late");
    assert!(delay > Duration::from_secs(1), "{delay:?}");
}

#[tokio::test]
async fn administrators_survive_a_restart_in_the_store_or_in_a_private_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    let now = Instant::now();
    let make = async |accounts: &Accounts, name: &str| {
        let once = accounts.make_link(now).unwrap();
        accounts.claim(&once, name, PASSWORD.to_owned(), now).await.unwrap();
    };
    let names =
        |accounts: &Accounts| accounts.list().into_iter().map(|one| one.name).collect::<Vec<_>>();
    make(&accounts(&Store::none(), &data), "ann").await;
    let file = folder.path().join("administrators.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(PASSWORD), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
    let with_store = accounts(&store, &data);
    assert_eq!(names(&with_store), ["ann"], "those of the file count until the store has some");
    make(&with_store, "ben").await;
    assert!(with_store.remove("ann").await.unwrap());
    assert!(!with_store.remove("ann").await.unwrap());
    let again = accounts(&store, &data);
    assert_eq!(names(&again), ["ben"], "the file's are not back");
    assert!(again.check(client("192.0.2.1"), "ben", PASSWORD.to_owned()).await.is_ok());
}

/// An acknowledged change is on disk: the process may be killed the moment after.
#[tokio::test]
async fn removal_and_new_password_are_acknowledged_once_they_are_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
    let accounts = accounts(&store, &data);
    let now = Instant::now();
    let claim = async |name: &str, password: &str| {
        let once = accounts.make_link(now).unwrap();
        accounts.claim(&once, name, password.to_owned(), now).await.map(drop)
    };
    let on_disk = || self::accounts(&store, &data);
    let has = async |name: &str, password: &str| {
        on_disk().check(client("192.0.2.1"), name, password.to_owned()).await.is_ok()
    };
    for name in ["ann", "ben"] {
        claim(name, PASSWORD).await.unwrap();
        assert!(has(name, PASSWORD).await);
    }
    claim("ben", "battery staple").await.unwrap();
    assert!(has("ben", "battery staple").await && !has("ben", PASSWORD).await);
    let (of_ann, of_ben) =
        (accounts.open_session("ann").unwrap(), accounts.open_session("ben").unwrap());
    assert!(accounts.session(&of_ann).is_some());
    accounts.close_session(&of_ben).await.unwrap();
    assert_eq!(on_disk().session(&of_ben), None, "signed out on disk, too");
    assert!(on_disk().session(&of_ann).is_some());
    // A database that refuses changes.
    let trigger = |sql: &'static str| {
        let write = move |database: &mut dyn crate::store::sql::Database| {
            database.execute(sql, &[]).map(drop)
        };
        store.write(crate::store::Importance::Record, write);
    };
    trigger("CREATE TRIGGER no BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'planted'); END");
    let error = format!("{:#}", accounts.remove("ann").await.unwrap_err());
    assert!(error.contains("not written"), "{error}");
    assert_eq!(accounts.session(&of_ann), None);
    let refused = accounts.check(client("192.0.2.1"), "ann", PASSWORD.to_owned()).await;
    assert_eq!(refused, Err(SignInError::Wrong), "she may do nothing all the same");
    assert!(matches!(claim("ben", PASSWORD).await, Err(ClaimError::Failed(_))));
    trigger("DROP TRIGGER no");
    assert!(accounts.remove("ann").await.unwrap(), "she can be removed again");
    assert!(!has("ann", PASSWORD).await);
    assert_eq!(on_disk().session(&of_ann), None);
    assert!(!accounts.remove("ann").await.unwrap());
}

#[tokio::test]
async fn unreadable_administrators_are_reported_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    data.write("administrators.json", "[{").unwrap();
    let error = Accounts::load(Keeper::new(Store::none(), data)).unwrap_err().to_string();
    assert!(error.contains("restore a backup"), "{error}");
}
