//! The C functions of `libfastthreadpool.so`, as a C program that loads it would see them.

use libloading::Library;
use std::error::Error;
use std::ffi::{c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

/// The result of a call that worked.
pub const OK: i32 = 0;

/// A job.
pub type JobFn = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// `ftpool_config`, as long as this caller knows it.
#[repr(C)]
pub struct Config {
    size: usize,
    workers: i32,
    ordered: u32,
    name: *const c_char,
    stack_size: usize,
}

impl Config {
    /// The defaults, but for the number of workers.
    pub fn with_workers(workers: usize) -> Self {
        let workers = workers.try_into().expect("a number of workers");
        Self { size: size_of::<Self>(), workers, ordered: 0, name: ptr::null(), stack_size: 0 }
    }
}

/// `ftpool_result`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Outcome {
    size: usize,
    id: u64,
    pub value: *mut c_void,
    error_message: *const c_char,
    queued_ns: u64,
    run_ns: u64,
    outcome: u32,
    error_code: i32,
    arg: *mut c_void,
    tick: u64,
    late_by_ns: i64,
}

impl Outcome {
    /// An empty one that says its size.
    #[expect(clippy::new_without_default, reason = "named after FTPOOL_RESULT_INIT")]
    pub const fn new() -> Self {
        Self {
            size: size_of::<Self>(),
            id: 0,
            value: ptr::null_mut(),
            error_message: ptr::null(),
            queued_ns: 0,
            run_ns: 0,
            outcome: 0,
            error_code: 0,
            arg: ptr::null_mut(),
            tick: 0,
            late_by_ns: 0,
        }
    }
}

/// The functions, which stay loaded to the end of the process.
#[derive(Clone, Copy)]
pub struct CApi {
    pub new: unsafe extern "C" fn(*const Config, *mut *mut c_void) -> i32,
    pub submit: unsafe extern "C" fn(*mut c_void, JobFn, *mut c_void, *mut u64) -> i32,
    pub wait_idle: unsafe extern "C" fn(*mut c_void, i64) -> i32,
    pub free: unsafe extern "C" fn(*mut c_void),
    pub results_new: unsafe extern "C" fn(*mut c_void, *mut *mut c_void) -> i32,
    pub results_submit: unsafe extern "C" fn(*mut c_void, JobFn, *mut c_void, *mut u64) -> i32,
    pub results_next: unsafe extern "C" fn(*mut c_void, i64, *mut Outcome) -> i32,
    pub results_take: unsafe extern "C" fn(*mut c_void, usize, *mut Outcome, *mut usize) -> i32,
    pub submit_job: unsafe extern "C" fn(*mut c_void, JobFn, *mut c_void, *mut *mut c_void) -> i32,
    pub job_join: unsafe extern "C" fn(*mut c_void, i64, *mut Outcome) -> i32,
    pub map: MapFn,
}

/// `ftpool_map`.
pub type MapFn = unsafe extern "C" fn(*mut c_void, JobFn, *const *mut c_void, usize, *mut *mut c_void) -> i32;

/// Opens our library, which stays loaded to the end of the process.
pub fn open(path: &Path) -> Result<&'static Library, libloading::Error> {
    // SAFETY: our own library has no initialisers that could do harm.
    Ok(Box::leak(Box::new(unsafe { Library::new(path) }?)))
}

/// Some functions of the library, as a struct whose fields have their names without the prefix.
macro_rules! functions {
    ($library:expr, $table:ident { $($name:ident),* }) => {
        $table {
            // SAFETY: the header declares each function with the type of its field.
            $($name: unsafe { *$library.get(concat!("ftpool_", stringify!($name)))? }),*
        }
    };
}

pub(crate) use functions;

impl CApi {
    /// Loads the library.
    pub fn load(path: &Path) -> Result<&'static Self, libloading::Error> {
        let library = open(path)?;
        Ok(Box::leak(Box::new(functions!(
            library,
            Self {
                new,
                submit,
                wait_idle,
                free,
                results_new,
                results_submit,
                results_next,
                results_take,
                submit_job,
                job_join,
                map
            }
        ))))
    }

    /// A pool that stays to the end of the process, unless it is freed.
    pub fn new_pool(&self, workers: usize) -> *mut c_void {
        let mut pool = ptr::null_mut();
        // SAFETY: the configuration says its size, and there is room for a pointer.
        let status = unsafe { (self.new)(&Config::with_workers(workers), &mut pool) };
        assert_eq!(status, OK, "ftpool_new");
        pool
    }

    /// A pool and a results object that stay to the end of the process.
    pub fn results_of_a_new_pool(&self, workers: usize) -> *mut c_void {
        let (pool, mut results) = (self.new_pool(workers), ptr::null_mut());
        // SAFETY: the pool lives, and there is room for a pointer.
        let status = unsafe { (self.results_new)(pool, &mut results) };
        assert_eq!(status, OK, "ftpool_results_new");
        results
    }

    /// Loads the library, or says on stderr why the C ABI is left out.
    pub fn load_or_explain(path: &Path) -> Option<&'static Self> {
        let explain = |error: &libloading::Error| {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            eprintln!("fastthreadpool (C ABI) is not built: run make build ({why})");
        };
        Self::load(path).inspect_err(explain).ok()
    }

    /// Where `make build` leaves the library.
    pub fn default_path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/libfastthreadpool.so")
    }
}
