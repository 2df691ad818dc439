//! The inputs that are kept, and what is easily made of them, without a fuzzer.

use std::path::Path;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 4] = [
    ("path", super::path),
    ("bodies", super::bodies),
    ("policy", super::policy),
    ("signature", super::signature),
];

#[test]
fn the_inputs_that_are_kept_find_no_fault() {
    let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/inputs");
    for (name, target) in TARGETS {
        let mut tried = 0;
        for entry in std::fs::read_dir(inputs.join(name)).unwrap() {
            let file = entry.unwrap().path();
            let input = std::fs::read(&file).unwrap();
            // The test's output ends in the file whose input panics.
            println!("{}", file.display());
            target(&input);
            target(&input[..input.len() / 2]);
            tried += 1;
        }
        assert!(tried > 1, "{name} has inputs");
    }
}
