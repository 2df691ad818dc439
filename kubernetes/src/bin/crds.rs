//! Writes the custom resource definitions into the folder that its one argument names.

use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: crds FOLDER")?;
    for (name, text) in lath_kubernetes::crds::files()? {
        std::fs::write(Path::new(&folder).join(&name), text)?;
    }
    Ok(())
}
