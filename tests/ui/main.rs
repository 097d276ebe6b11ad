//! Models that the derive takes, and what the compiler says of those that it refuses.

#[test]
fn models_compile_or_are_refused_by_name() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
