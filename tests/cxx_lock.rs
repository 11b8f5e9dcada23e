//! C++ programs that use a lock of the header with the guards of the standard library.
#![cfg(all(unix, feature = "capi"))]

#[path = "c_common/cc.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod cc;
mod common;

use cc::{cxx_compilers, folder, run};
use common::within_limit;
use std::fs;
use std::process::Command;

/// The lock is what C++'s guards ask for, and the initialisers are constants in both languages.
#[test]
fn a_lock_is_lockable_in_cxx() {
    within_limit(|| {
        let folder = folder("lockable");
        let source = folder.join("lockable.cc");
        let text = "#include <fastthreadpool.h>\n#include <mutex>\n\
                    static ftpool_lock lock = FTPOOL_LOCK_INIT;\n\
                    static ftpool_semaphore quick = FTPOOL_SEMAPHORE_INIT(3), fair = FTPOOL_SEMAPHORE_INIT_FAIR(4);\n\
                    int main() {\n\
                    { std::lock_guard<ftpool_lock> guard(lock); if (!ftpool_lock_locked(&lock)) return 1; }\n\
                    { std::unique_lock<ftpool_lock> guard(lock, std::try_to_lock); if (!guard || lock.try_lock()) return 2; }\n\
                    if (ftpool_lock_locked(&lock)) return 3;\n\
                    ftpool_lock other = FTPOOL_LOCK_INIT; std::lock(lock, other); lock.unlock(); other.unlock();\n\
                    return ftpool_semaphore_value(&quick) == 3 && ftpool_semaphore_value(&fair) == 4 ? 0 : 4; }\n";
        fs::write(&source, text).expect("the folder is writable");
        for compiler in cxx_compilers() {
            for dialect in ["-std=c++11", "-std=c++20"] {
                let program = folder.join(compiler.name());
                compiler.program(&source, &program, &[dialect]);
                run(&mut Command::new(&program));
            }
        }
    });
}
