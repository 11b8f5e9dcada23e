//! The semaphore of C++20, where there is a compiler that knows it.

pub fn compile() {
    println!("cargo:rustc-check-cfg=cfg(cxx20)");
    println!("cargo:rerun-if-changed=src/waits/rivals.cc");
    let compiled =
        cc::Build::new().cpp(true).std("c++20").opt_level(2).file("src/waits/rivals.cc").try_compile("cxx20");
    match compiled {
        Ok(()) => println!("cargo:rustc-cfg=cxx20"),
        Err(error) => println!("cargo:warning=std::counting_semaphore is left out (apt-get install g++): {error}"),
    }
}
