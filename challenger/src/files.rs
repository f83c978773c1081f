//! Models, packages and tensors on disk.

use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, WriteNpyExt};
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::{Model, model_from_bytes, read_model, read_tensor_pb, write_tensor_pb};
use rebut_engine::package::Package;
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};
use std::path::Path;

/// An error in one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FileError(pub String);

fn at<E: Display>(path: &Path) -> impl Fn(E) -> FileError {
    move |e| FileError(format!("{}: {e}", path.display()))
}

/// Reads a program package; `None` where the file is something else.
///
/// # Errors
/// When the file cannot be read, or is a damaged package.
pub fn read_package(path: &Path) -> Result<Option<Package>, FileError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut head = [0; 16];
    let got = std::io::Read::read(&mut file, &mut head).map_err(at(path))?;
    if !Package::is_package(&head[..got]) {
        return Ok(None);
    }
    Package::read(file).map(Some).map_err(at(path))
}

/// Writes a program package; its size in bytes.
///
/// # Errors
/// When the file cannot be written.
pub fn write_package(path: &Path, package: &Package) -> Result<u64, FileError> {
    let mut file = BufWriter::new(File::create(path).map_err(at(path))?);
    package.write(&mut file).map_err(at(path))?;
    file.flush().map_err(at(path))?;
    file.stream_position().map_err(at(path))
}

/// Compiles an ONNX model with options that may depend on what it declares.
///
/// # Errors
/// When the model cannot be read or lowered.
pub fn compile(
    path: &Path,
    options: impl FnOnce(&Model) -> Result<LowerOptions, FileError>,
) -> Result<Package, FileError> {
    let model = read_model(path).map_err(at(path))?;
    package(&model, &options(&model)?).map_err(at(path))
}

/// Compiles an ONNX model from memory; it cannot have external data.
///
/// # Errors
/// When the model cannot be read or lowered.
pub fn package_from_bytes(bytes: &'static [u8]) -> Result<Package, FileError> {
    let model = model_from_bytes(bytes, None).map_err(|e| FileError(e.to_string()))?;
    package(&model, &LowerOptions::default())
}

fn package(model: &Model, options: &LowerOptions) -> Result<Package, FileError> {
    let lowered = lower(model, options).map_err(|e| FileError(format!("{e}{}", option_for(&e))))?;
    Package::try_from(lowered).map_err(|e| FileError(e.to_string()))
}

/// The options of the command line that an error asks for.
fn option_for(error: &LowerError) -> String {
    let LowerError::Unbound { inputs, .. } = error else { return String::new() };
    let options: Vec<String> = inputs.iter().map(|name| format!("--bind {name}=VALUE")).collect();
    format!(" ({})", options.join(" "))
}

/// Reads a tensor from an ONNX `.pb` or a NumPy `.npy` file.
///
/// # Errors
/// When the file cannot be read or holds an element type that programs do not have.
pub fn read_tensor(path: &Path) -> Result<Tensor, FileError> {
    match extension(path)? {
        Format::Onnx => read_tensor_pb(path).map_err(at(path)),
        Format::Numpy => read_npy(path),
    }
}

/// Writes a tensor as an ONNX `.pb` or a NumPy `.npy` file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tensor(path: &Path, name: &str, tensor: &Tensor) -> Result<(), FileError> {
    match extension(path)? {
        Format::Onnx => write_tensor_pb(path, name, tensor).map_err(at(path)),
        Format::Numpy => {
            if matches!(tensor, Tensor::F16(_) | Tensor::BF16(_)) {
                let reason = format!("{}: NumPy files of {} are not written; use .pb", path.display(), tensor.dtype());
                return Err(FileError(reason));
            }
            let file = File::create(path).map_err(at(path))?;
            match tensor {
                Tensor::F32(a) => a.write_npy(file),
                Tensor::U8(a) => a.write_npy(file),
                Tensor::U16(a) | Tensor::F16(a) | Tensor::BF16(a) => a.write_npy(file),
                Tensor::I8(a) => a.write_npy(file),
                Tensor::I16(a) => a.write_npy(file),
                Tensor::I32(a) => a.write_npy(file),
                Tensor::I64(a) => a.write_npy(file),
                Tensor::Bool(a) => a.mapv(|x| x != 0).write_npy(file),
            }
            .map_err(at(path))
        }
    }
}

enum Format {
    Onnx,
    Numpy,
}

fn extension(path: &Path) -> Result<Format, FileError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("pb") => Ok(Format::Onnx),
        Some("npy") => Ok(Format::Numpy),
        _ => Err(FileError(format!("{}: a tensor file ends in .pb (ONNX) or .npy (NumPy)", path.display()))),
    }
}

fn read_npy(path: &Path) -> Result<Tensor, FileError> {
    fn array<T: ndarray_npy::ReadableElement>(path: &Path) -> Option<ArrayD<T>> {
        ArrayD::read_npy(BufReader::new(File::open(path).ok()?)).ok()
    }
    File::open(path).map_err(at(path))?;
    let tensor = None
        .or_else(|| array(path).map(Tensor::F32))
        .or_else(|| array(path).map(Tensor::I64))
        .or_else(|| array(path).map(Tensor::I32))
        .or_else(|| array(path).map(Tensor::U8))
        .or_else(|| array(path).map(Tensor::I8))
        .or_else(|| array(path).map(Tensor::U16))
        .or_else(|| array(path).map(Tensor::I16))
        .or_else(|| array::<bool>(path).map(|a| Tensor::Bool(a.mapv(u8::from))));
    let types: Vec<String> = DType::ALL.iter().map(ToString::to_string).collect();
    let reason = format!("{}: not a NumPy file of one of {}", path.display(), types.join(" "));
    Ok(tensor.ok_or(FileError(reason))?.into_standard_layout())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_engine::program::TensorType;

    #[test]
    fn numpy_files_keep_types_and_elements() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.npy");
        for dtype in DType::ALL.into_iter().filter(|&d| d == DType::F32 || !d.is_float()) {
            // A truth value is 0 or 1.
            let element = if dtype == DType::Bool { [1; 8] } else { [0x91, 0x82, 3, 4, 5, 6, 7, 8] };
            let ty = TensorType::new(dtype, vec![2, 1]);
            let bytes = [&[0; 8][..dtype.width()], &element[..dtype.width()]].concat();
            let tensor = Tensor::from_le_bytes(&ty, &bytes).expect("two elements");
            write_tensor(&path, "t", &tensor).expect("it is written");
            assert_eq!(read_tensor(&path).expect("it is read"), tensor, "{dtype}");
        }
    }
}
