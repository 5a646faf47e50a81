use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(pattern: &str, matching: &[&str], other: &[&str]) {
    let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for (texts, expected) in [(matching, true), (other, false)] {
        for text in texts {
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text:?}");
        }
    }
}

#[track_caller]
fn check_refused(pattern: &str, expected: &str) {
    assert_eq!(compile(pattern).map(|regex| regex.as_str().to_owned()), Err(expected.to_owned()), "{pattern}");
}

#[test]
fn classes_have_no_operators() {
    check("^[a-z&&[^b]]$", &["a]", "b]", "&]", "[]", "^]"], &["a", "A]"]);
    check("^[a&&b]", &["a", "&", "b"], &["c", "A"]);
    check("^[[]$", &["["], &["a"]);
    check("^[a~~b]$", &["~"], &[]);
    check(r"^[\d-z]$", &["5", "-", "z"], &["a"]);
    check("^[]a]$", &["]", "a"], &["b"]);
    check("^[^]a]$", &["b"], &["]", "a"]);
    check("^[a-]$", &["a", "-"], &["b"]);
    check("^[-a]$", &["a", "-"], &["b"]);
    check("^[[:alpha:]_[:^print:]]$", &["a", "_", "\u{1}", "é"], &["1"]);
    check("^[[:foo]$", &["[", ":", "f", "o"], &["a"]);
    check(r"^[\x{d800}]$", &[], &["a", "\u{fffd}"]);
    check(r"^[^\x{d800}-\x{dfff}]$", &["a", "\u{fffd}"], &[]);
    check(r"^[^\x00-\x{10FFFF}]$", &[], &["a", ""]);
    check("^[^a]$", &["\n"], &["a"]);
}

#[test]
fn escapes_are_those_of_go() {
    check(r"^\Qa.b\E+$", &["a.b", "a.bb"], &["axb", "a.ba.b"]);
    check(r"^\Q*[", &["*["], &["[", "*"]);
    check(r"^\07$", &["\u{7}"], &["7"]);
    check(r"^\101\x41\x{41}$", &["AAA"], &[]);
    check(r"^\018$", &["\u{1}8"], &["\u{8}"]);
    check(r"^\-\<\>\ \_$", &["-<> _"], &[]);
    check(r"\<lo", &["<lo"], &["lo"]);
    check(r"^\a\f\t\n\r\v$", &["\u{7}\u{c}\t\n\r\u{b}"], &[]);
    check(r"^\d\s\w$", &["1\ta", "1 _"], &["\u{661} a", "1\u{a0}a", "1 é", "1\u{b}a"]);
    check(r"^\D\S\W$", &["é\u{a0}é", "aaé"], &["1aa", "a é"]);
    check(r"a\b", &["aé", "a b"], &["ab"]);
    check(r"é\B", &["é", "éé"], &["éa"]);
    check(r"\B", &["é", ""], &["a"]);
    check(r"^\pL\p{Greek}\p{^Lu}\PN$", &["aλba"], &["1λba", "aaba", "aλBa", "aλb1"]);
    check(r"^[\p{Lu}\d]$", &["A", "É", "1"], &["a"]);
    check(r"^\p{Any}\p{letter}$", &["1é"], &["11"]);
}

#[test]
fn anchors_and_flags_are_those_of_go() {
    check("^a$", &["a"], &["a\n", "\na"]);
    check("(?m)^a$", &["a", "b\na\nb"], &["ab"]);
    check("^a.b$", &["axb"], &["a\nb"]);
    check("(?s)^a.b$", &["axb", "a\nb"], &[]);
    check("^(?i)straße\u{212a}$", &["STRAßEk", "ſtraßeK"], &["strassek"]);
    check("^(a(?i)b)c$", &["abc", "aBc"], &["ABc", "abC"]);
    check("^(?i:[a-c]x)y$", &["AXy"], &["axY"]);
    check("^(?i)[^a]$", &["b"], &["a", "A"]);
    check(r"^(?i)\w$", &["\u{17f}", "\u{212a}"], &["é"]);
    check("^(?i-i)a$", &["a"], &["A"]);
    check("^(?)a(?P<name>b)(?<other>c)$", &["abc"], &[]);
    check("^a(?i)*$", &["", "aa"], &["A"]);
    check("(?m-s)^.$", &["a\nb"], &[]);
}

#[test]
fn repetitions_are_those_of_go() {
    check("^x{$", &["x{"], &["x"]);
    check("^a{,2}$", &["a{,2}"], &["", "a", "aa"]);
    check("^a{2,}b{0}c{1,2}$", &["aac", "aaacc"], &["ac", "aab"]);
    check("^a{01}$", &["a{01}"], &["a"]);
    check("^(a{2}){3}$", &["aaaaaa"], &["aaaaa"]);
    check("^*$", &["", "a"], &[]);
    check("^(|a)*(|a)+$", &["", "aa"], &["b"]);
    check(r"^(?:a*)*\b?$", &["", "aa"], &["b"]);
    check("^a{1000}$", &[&"a".repeat(1000)], &[&"a".repeat(999)]);
    check("(a{999}){0}b{1000}", &[&"b".repeat(1000)], &["b"]);
}

#[test]
fn errors_are_those_of_go() {
    for (pattern, expected) in [
        ("(", "missing closing ): `(`"),
        ("a(b", "missing closing ): `a(b`"),
        (")", "unexpected ): `)`"),
        ("a)b", "unexpected ): `a)b`"),
        ("[a", "missing closing ]: `[a`"),
        ("x[", "missing closing ]: `[`"),
        ("[]", "missing closing ]: `[]`"),
        ("[a-", "missing closing ]: `[a-`"),
        ("[a--b]", "invalid character class range: `a--`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[[:word2:]]", "invalid character class range: `[:word2:]`"),
        (r"\pX", r"invalid character class range: `\pX`"),
        (r"\p{Frob}a", r"invalid character class range: `\p{Frob}`"),
        (r"\p{Grek}", r"invalid character class range: `\p{Grek}`"),
        (r"[\p{Lu]", r"invalid character class range: `\p{Lu]`"),
        (r"\p", r"invalid character class range: `\p`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*+", "invalid nested repetition operator: `*+`"),
        ("a??*b", "invalid nested repetition operator: `??*`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a+*?", "invalid nested repetition operator: `+*?`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a|*?", "missing argument to repetition operator: `*?`"),
        ("(+a)", "missing argument to repetition operator: `+`"),
        ("{2}", "missing argument to repetition operator: `{2}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{9999999999999999999999}", "invalid repeat count: `{9999999999999999999999}`"),
        ("(a{100}){11}", "invalid repeat count: `{11}`"),
        (r"\", "trailing backslash at end of expression: ``"),
        (r"[\", "trailing backslash at end of expression: ``"),
        (r"\u0041", r"invalid escape sequence: `\u`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"\x", r"invalid escape sequence: `\x`"),
        (r"\x4", r"invalid escape sequence: `\x4`"),
        (r"\xg1", r"invalid escape sequence: `\xg1`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\x{41", r"invalid escape sequence: `\x{41`"),
        ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?P=a)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?P<a", "invalid named capture: `(?P<a`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?<a b>a)", "invalid named capture: `(?<a b>`"),
    ] {
        check_refused(pattern, expected);
    }
}

#[test]
fn depth_and_size_are_limited() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(999), &["a"], &["b"]);
    let too_deep = nested(1000);
    check_refused(&too_deep, &format!("expression nests too deeply: `{too_deep}`"));
    let too_large = format!("(?:{}){{1000}}", "a".repeat(4000));
    check_refused(&too_large, &format!("expression too large: `{too_large}`"));
}

#[test]
fn each_invalid_byte_becomes_one_replacement_character() {
    assert_eq!(text_of(b"a\xff\xed\xa0\x80\xc3"), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    assert_eq!(text_of("aé".as_bytes()), "aé");
}

/// An expression over `a`, `b` and `c`, which can be printed in Go's syntax and matched by exhaustive search.
#[derive(Clone, Debug)]
enum Expression {
    One(Vec<char>, u8),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Repeated(Box<Expression>, u32, Option<u32>, bool),
    Start,
    End,
}

impl Expression {
    fn written(&self) -> String {
        match self {
            Self::One(letters, form) => match (&**letters, form) {
                ([letter], 0) => letter.to_string(),
                ([letter], 1) => format!("\\x{:02x}", u32::from(*letter)),
                ([letter], 2) => format!("\\Q{letter}\\E"),
                ([letter], 3) => format!("\\{:o}", u32::from(*letter)),
                _ => format!("[{}]", letters.iter().collect::<String>()),
            },
            Self::All(parts) => {
                parts.iter().flat_map(|part| ["(?:".to_owned(), part.written(), ")".to_owned()]).collect()
            }
            Self::Any(parts) => parts.iter().map(Self::written).collect::<Vec<_>>().join("|"),
            Self::Repeated(part, least, most, is_lazy) => {
                let operator = match (least, most) {
                    (0, None) => "*".to_owned(),
                    (1, None) => "+".to_owned(),
                    (0, Some(1)) => "?".to_owned(),
                    (least, None) => format!("{{{least},}}"),
                    (least, Some(most)) => format!("{{{least},{most}}}"),
                };
                format!("({}){operator}{}", part.written(), if *is_lazy { "?" } else { "" })
            }
            Self::Start => "^".to_owned(),
            Self::End => "$".to_owned(),
        }
    }

    /// All ends of matches that begin at `at`.
    fn ends(&self, text: &[char], at: usize) -> Vec<usize> {
        let mut ends = match self {
            Self::One(letters, _) => {
                text.get(at).filter(|found| letters.contains(found)).map(|_| at + 1).into_iter().collect()
            }
            Self::All(parts) => parts
                .iter()
                .fold(vec![at], |starts, part| starts.into_iter().flat_map(|start| part.ends(text, start)).collect()),
            Self::Any(parts) => parts.iter().flat_map(|part| part.ends(text, at)).collect(),
            Self::Repeated(part, least, most, _) => {
                let (mut ends, mut reached) = (Vec::new(), vec![at]);
                // The texts are shorter than 10 characters: further rounds find no new end.
                for round in 0..=most.unwrap_or(u32::MAX).min(10 + least) {
                    if round >= *least {
                        ends.extend(&reached);
                    }
                    reached = reached.iter().flat_map(|&start| part.ends(text, start)).collect();
                    reached.sort_unstable();
                    reached.dedup();
                }
                ends
            }
            Self::Start => (at == 0).then_some(at).into_iter().collect(),
            Self::End => (at == text.len()).then_some(at).into_iter().collect(),
        };
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

fn expression() -> impl Strategy<Value = Expression> {
    let letter = prop::sample::select(vec!['a', 'b', 'c']);
    let leaf = prop_oneof![
        6 => (prop::collection::vec(letter, 1..3), 0_u8..5).prop_map(|(letters, form)| Expression::One(letters, form)),
        1 => Just(Expression::Start),
        1 => Just(Expression::End),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let counts = (0_u32..3, prop::option::of(0_u32..3));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::Any),
            (inner, counts, any::<bool>()).prop_map(|(part, (least, more), is_lazy)| {
                Expression::Repeated(Box::new(part), least, more.map(|more| least + more), is_lazy)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_pattern_matches_what_trying_everything_finds(
        expression in expression(),
        texts in prop::collection::vec("[abc]{0,6}", 1..6),
    ) {
        let regex = compile(&expression.written()).expect("a pattern");
        for text in texts {
            let letters: Vec<char> = text.chars().collect();
            let expected = (0..=letters.len()).any(|at| !expression.ends(&letters, at).is_empty());
            prop_assert_eq!(regex.is_match(&text), expected, "{} on {:?}", expression.written(), text);
        }
    }

    #[test]
    fn what_is_quoted_matches_itself_alone(quoted in "\\PC{0,8}", other in "\\PC{0,8}") {
        prop_assume!(!quoted.contains(r"\E") && !quoted.ends_with('\\'));
        let regex = compile(&format!(r"^\Q{quoted}\E$")).expect("a pattern");
        prop_assert!(regex.is_match(&quoted));
        prop_assert_eq!(regex.is_match(&other), other == quoted);
    }

    #[test]
    fn arbitrary_text_is_translated_or_refused(text in "[a-c0-9(){}\\[\\]|*+?^$.\\\\,:<>QEpPxdwsbBAzi&~-]{0,16}") {
        if let Ok(translated) = translate(&text) {
            prop_assert!(Regex::new(&translated).is_ok(), "{}: {}", text, translated);
        }
    }

    #[test]
    fn any_characters_are_translated_to_a_pattern_or_refused(text: String) {
        if let Ok(translated) = translate(&text) {
            prop_assert!(Regex::new(&translated).is_ok(), "{}: {}", text, translated);
        }
    }
}
