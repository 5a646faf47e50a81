//! Catching expected panics without printing them.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use collectors::kit::failure::panic_words;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs something that may panic; the error is the panic message with the location on a line of its own. Panics of
/// other threads are printed as usual.
pub fn caught<T>(attempt: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            if IS_CAUGHT.get() {
                PLACE.set(panic.location().map(|place| format!("\n  at {place}")).unwrap_or_default());
            } else {
                tell(panic);
            }
        }));
    });
    let before = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(attempt));
    IS_CAUGHT.set(before);
    result.map_err(|panic| panic_words(&*panic).to_owned() + &PLACE.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let number = 7;
        let broken: [(&str, Result<(), String>); 3] = [
            ("plain", caught(|| panic!("plain"))),
            ("number 7", caught(|| panic!("number {number}"))),
            ("no message", caught(|| std::panic::panic_any(number))),
        ];
        for (words, result) in broken {
            let said = result.expect_err("a panic");
            let (told, place) = said.split_once("\n  at ").expect("words and a place");
            assert!(told == words && place.contains("panics.rs:"), "{said}");
        }
        assert!(!IS_CAUGHT.get(), "the next panic is printed");
    }
}
