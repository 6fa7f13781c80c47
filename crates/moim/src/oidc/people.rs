//! People who have signed in, and their sessions, of which only hashes of secrets are kept.

use std::{collections::HashMap, fmt};

use access::UnixTime;
use aws_lc_rs::hmac;
use parking_lot::Mutex;
use room::DeviceSecret;

use crate::{
    access::now,
    config::OidcConfig,
    data::DataFolder,
    session_secret::{SecretHash, new_secret},
    store::{
        Durable, Importance, NotWritten, Store, meta,
        person_sessions::{self, StoredPersonSession},
        sql::Database,
    },
};

/// Time after which a session ends. Whoever may not sign in any more is out by then.
pub(crate) const LIFE_SECONDS: u64 = 7 * 24 * 60 * 60;
/// Sessions at once; the one that began first gives way.
const MAX_SESSIONS: usize = 10_000;
/// Sessions of one person at once.
const MAX_PER_PERSON: usize = 16;
/// Longest ID token that is kept, in bytes: it comes back to the provider in an address.
const MAX_ID_TOKEN_BYTES: usize = 3000;
/// The file in the data folder with the key of [`People::device`].
const KEY_FILE: &str = "people.secret";
/// The name of the text that has the provider and the rules by which people signed in.
const RULES: &str = "people.rules";

/// A person who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// As the provider calls it.
    pub(crate) name: String,
    /// Provider and subject: the same for good, whatever its name.
    pub(super) identity: String,
}

impl Person {
    pub(super) fn new(issuer: &str, subject: &str, name: String) -> Self {
        Self { name, identity: format!("{issuer}\n{subject}") }
    }

    /// The provider's identifier of the person (`sub`).
    pub(crate) fn subject(&self) -> &str {
        self.identity.split_once('\n').map_or("", |(_, subject)| subject)
    }
}

/// People with open sessions. Shared by HTTP and signaling.
pub(crate) struct People {
    sessions: Mutex<HashMap<SecretHash, Session>>,
    store: Store,
    key: hmac::Key,
}

#[derive(Debug)]
struct Session {
    person: Person,
    expires: UnixTime,
    /// Tells the provider whom to sign out. In memory alone, since it tells more of the person.
    id_token: Option<Box<str>>,
    /// It is over, but may still be in the store.
    is_closed: bool,
}

impl Session {
    fn new(person: Person, expires: UnixTime) -> Self {
        Self { person, expires, id_token: None, is_closed: false }
    }
}

impl People {
    /// People of a provider whose sessions are kept, unless other rules decided who may sign in.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load(
        store: Store,
        data: &DataFolder,
        config: &OidcConfig,
    ) -> anyhow::Result<Self> {
        let key = data.read_or_create(KEY_FILE, new_secret)?;
        let people = Self::new(store, key.trim_ascii_end());
        let OidcConfig { issuer, client_id, host_claims, host_domains, .. } = config;
        let rules = format!("{:?}", (issuer, client_id, host_claims, host_domains));
        let before = people.store.load(|database| meta::find(database, RULES))?.flatten();
        if before.as_ref() != Some(&rules) {
            // Whoever signed in before may be no host any more.
            people.store.write(Importance::Record, move |database| {
                person_sessions::clear(database)?;
                meta::set(database, RULES, &rules)
            });
            return Ok(people);
        }
        let kept = people.store.load(person_sessions::all)?.unwrap_or_default().into_iter();
        let sessions = kept.filter_map(|StoredPersonSession { hash, identity, name, expires }| {
            let expires = UnixTime(u64::try_from(expires).ok()? / 1000);
            let session = Session::new(Person { name, identity }, expires);
            Some((SecretHash::read(&hash)?, session))
        });
        people.sessions.lock().extend(sessions.take(MAX_SESSIONS));
        Ok(people)
    }

    /// Nobody, for a server without a provider.
    pub(crate) fn none() -> Self {
        Self::new(Store::none(), "")
    }

    fn new(store: Store, key: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        Self { sessions: Mutex::default(), store, key }
    }

    /// Opens a session of a person, who came with an ID token; returns its secret.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(super) fn open(
        &self,
        person: Person,
        id_token: Option<String>,
        now: UnixTime,
    ) -> anyhow::Result<String> {
        let secret = new_secret()?;
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, session| now < session.expires);
        let own = |session: &Session| session.person.identity == person.identity;
        if sessions.values().filter(|session| own(session)).count() >= MAX_PER_PERSON {
            self.close_first(&mut sessions, own);
        }
        if sessions.len() >= MAX_SESSIONS {
            self.close_first(&mut sessions, |_| true);
        }
        let (hash, expires) = (SecretHash::of(&secret), now.plus(LIFE_SECONDS));
        let stored = StoredPersonSession {
            hash: hash.as_bytes().to_vec(),
            identity: person.identity.clone(),
            name: person.name.clone(),
            expires: i64::try_from(expires.0.saturating_mul(1000)).unwrap_or(i64::MAX),
        };
        let id_token = id_token.filter(|token| token.len() <= MAX_ID_TOKEN_BYTES);
        let id_token = id_token.map(String::into_boxed_str);
        sessions.insert(hash, Session { id_token, ..Session::new(person, expires) });
        self.store
            .write(Importance::Record, move |database| person_sessions::add(database, &stored));
        Ok(secret)
    }

    /// Closes the session that began first of those for which `fits` holds.
    fn close_first(
        &self,
        sessions: &mut HashMap<SecretHash, Session>,
        fits: impl Fn(&Session) -> bool,
    ) {
        let fitting = sessions.iter().filter(|(_, session)| fits(session));
        let first = fitting.min_by_key(|(_, session)| session.expires).map(|(hash, _)| *hash);
        if let Some(hash) = first.filter(|hash| sessions.remove(hash).is_some()) {
            self.store.write(Importance::Record, move |database| {
                person_sessions::remove(database, hash.as_bytes())
            });
        }
    }

    /// The person of a session that has not ended.
    pub(crate) fn find(&self, secret: &str) -> Option<Person> {
        self.find_at(secret, now())
    }

    /// The ID token with which the person of a session came to this process.
    pub(super) fn id_token(&self, secret: &str) -> Option<Box<str>> {
        self.sessions.lock().get(&SecretHash::of(secret))?.id_token.clone()
    }

    fn find_at(&self, secret: &str, now: UnixTime) -> Option<Person> {
        let sessions = self.sessions.lock();
        let session = sessions.get(&SecretHash::of(secret))?;
        (now < session.expires && !session.is_closed).then(|| session.person.clone())
    }

    /// Ends a session; returns false if there is none, and true once the store does not have it any
    /// more. Until then, and if that fails, it is over all the same, and can be ended again.
    ///
    /// # Errors
    /// It may come back with a restart.
    pub(crate) async fn close(&self, secret: &str) -> Result<bool, NotWritten> {
        let hash = SecretHash::of(secret);
        // A secret of no session writes nothing: strangers may send any number of them.
        let Some(closing) = self.begin_to_close(hash) else { return Ok(false) };
        closing.wait().await?;
        self.sessions.lock().remove(&hash);
        Ok(true)
    }

    fn begin_to_close(&self, hash: SecretHash) -> Option<Durable> {
        let mut sessions = self.sessions.lock();
        sessions.get_mut(&hash)?.is_closed = true;
        let remove =
            move |database: &mut dyn Database| person_sessions::remove(database, hash.as_bytes());
        Some(self.store.write_durably(remove))
    }

    /// Secret by which rooms know a person, in place of a device's: a host comes back as host on any
    /// device. Nobody else can compute it.
    pub(crate) fn device(&self, person: &Person) -> Option<DeviceSecret> {
        let tag = hmac::sign(&self.key, person.identity.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        DeviceSecret::try_from(hex).ok()
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("sessions", &self.sessions.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Retention;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const ISSUER: &str = "https://idp.example";

    fn person(subject: &str) -> Person {
        Person::new(ISSUER, subject, subject.to_owned())
    }

    #[tokio::test]
    async fn session_ends_after_a_week_or_when_it_is_closed() {
        let people = People::none();
        let secret = people.open(person("ann"), None, NOW).unwrap();
        assert_eq!(people.find_at(&secret, NOW), Some(person("ann")));
        assert!(people.find_at(&secret, NOW.plus(LIFE_SECONDS - 1)).is_some());
        assert_eq!(people.find_at(&secret, NOW.plus(LIFE_SECONDS)), None);
        assert_eq!(people.find_at("other", NOW), None);
        assert_eq!(people.close(&secret).await, Ok(true));
        assert_eq!(people.close("other").await, Ok(false));
        assert_eq!(people.find_at(&secret, NOW), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_first_of_the_same_person_gives_way() {
        let people = People::none();
        let other = people.open(person("ben"), None, NOW).unwrap();
        let first = people.open(person("ann"), None, NOW.plus(1)).unwrap();
        for n in 0..100 {
            people.open(person("ann"), None, NOW.plus(2 + n)).unwrap();
            assert!(people.sessions.lock().len() <= 1 + MAX_PER_PERSON);
        }
        assert_eq!(people.find_at(&first, NOW), None);
        assert!(people.find_at(&other, NOW).is_some());
        people.open(person("eve"), None, NOW.plus(LIFE_SECONDS + 500)).unwrap();
        assert_eq!(people.sessions.lock().len(), 1, "the others have ended");
    }

    #[tokio::test]
    async fn sessions_survive_a_restart_as_hashes_and_end_with_the_rules_of_the_provider() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
        let config = |issuer: &str, domains: &[&str]| OidcConfig {
            issuer: issuer.to_owned(),
            metadata: axum::http::Uri::default(),
            client_id: "moim".to_owned(),
            client_secret: None,
            scopes: String::new(),
            host_claims: Vec::new(),
            host_domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        };
        let load = |config: &OidcConfig| {
            let people = People::load(store.clone(), &data, config).unwrap();
            assert!(store.flush(Duration::from_secs(10)));
            people
        };
        let people = load(&config(ISSUER, &[]));
        let now = now();
        let secret = people.open(person("ann"), None, now).unwrap();
        let closed = people.open(person("ben"), None, now).unwrap();
        // Whoever signed out has done so on disk, too.
        people.close(&closed).await.unwrap();
        let again = load(&config(ISSUER, &[]));
        assert_eq!(again.find(&secret), Some(person("ann")));
        assert_eq!(again.find(&closed), None);
        let device =
            |people: &People, subject: &str| String::from(people.device(&person(subject)).unwrap());
        assert_eq!(device(&again, "ann"), device(&people, "ann"));
        assert_ne!(device(&again, "ann"), device(&people, "ben"));
        assert_ne!(device(&again, "ann"), device(&People::none(), "ann"), "nobody computes it");
        let text = store.load(person_sessions::all).unwrap().unwrap();
        assert_eq!(text.len(), 1);
        assert!(!format!("{text:?}").contains(&secret));
        for other in [config(ISSUER, &["school.example"]), config("https://idp", &[])] {
            let secret = load(&config(ISSUER, &[])).open(person("ann"), None, now).unwrap();
            store.flush(Duration::from_secs(10));
            assert!(load(&config(ISSUER, &[])).find(&secret).is_some());
            assert_eq!(load(&other).find(&secret), None, "{other:?}");
            assert_eq!(load(&config(ISSUER, &[])).find(&secret), None, "it has ended");
        }
    }
}
