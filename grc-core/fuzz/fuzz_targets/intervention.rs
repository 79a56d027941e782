#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    grc_core_fuzz::intervention::run(data);
});
